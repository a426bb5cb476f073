package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	envPrefix  = "ORDERQ_"
	envConfig  = "ORDERQ_CONFIG"
	envTest    = "ORDERQ_TEST_"
	localFile  = "orderq.yaml"
	systemFile = "/etc/orderq/orderq.yaml"
)

// sources is everything a configuration can come from but the files that it
// names. Tests give their own.
type sources struct {
	config  string   // --config; empty searches
	queue   string   // --queue; empty is not given
	set     []string // --set, KEY=VALUE each
	environ []string // NAME=VALUE each
	system  string   // the file of last resort
}

// lookup gives a variable of the environment; one that is empty is not there.
func (s sources) lookup(name string) string {
	value := ""
	for _, entry := range s.environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = v
		}
	}
	return value
}

// findFile gives the configuration file: the one asked for, which must exist,
// else the first that exists, else none.
func (s sources) findFile(p *problems) string {
	for _, asked := range []struct{ name, path string }{
		{"--config", s.config}, {envConfig, s.lookup(envConfig)},
	} {
		if asked.path == "" {
			continue
		}
		if _, err := os.Stat(asked.path); err != nil {
			p.add(asked.name, asked.path, whyUnread(err))
			return ""
		}
		return asked.path
	}
	for _, path := range []string{localFile, s.system} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return ""
}

// findDotenv gives the .env beside the configuration file, else the one in the
// working directory, else none.
func findDotenv(configFile string) string {
	candidates := []string{".env"}
	if configFile != "" {
		candidates = []string{filepath.Join(filepath.Dir(configFile), ".env"), ".env"}
	}
	for _, path := range candidates {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return ""
}

// reason gives the cause of a file's error without the path that every error
// of package os repeats.
func reason(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}
