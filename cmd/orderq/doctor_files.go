package main

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"orderq/ops"
)

// secretKeys are those whose values belong to nobody else, when they stand in a
// file of the configuration itself.
var secretKeys = []string{"redis.password", "consumer.api.headers", "consumer.api.url"}

var fileAndLine = regexp.MustCompile(`^(.+?):\d+(: |$)`)

// secretFile is a file with something secret in it.
type secretFile struct{ key, path string }

// secretFiles are all that the configuration names, and its own where they hold
// a secret themselves.
func (c *loaded) secretFiles() []secretFile {
	var list []secretFile
	add := func(key, path string) {
		if path != "" && !slices.ContainsFunc(list, func(f secretFile) bool { return f.path == path }) {
			list = append(list, secretFile{key, path})
		}
	}
	for _, key := range secretKeys {
		o := c.origin(key)
		m := fileAndLine.FindStringSubmatch(o.at)
		if m == nil || o.layer != ".env" && !strings.HasPrefix(o.layer, "file ") {
			continue
		}
		if key != "consumer.api.url" || withoutQuery(c.Consumer.API.URL) != c.Consumer.API.URL {
			add(key, m[1])
		}
	}
	api := c.Consumer.API
	add("redis.password_file", string(c.Redis.PasswordFile))
	add("producer.tokens_file", string(c.Producer.TokensFile))
	add("producer.tls_key_file", string(c.Producer.TLSKeyFile))
	add("consumer.api.token_file", string(api.TokenFile))
	add("consumer.api.hmac_secret_file", string(api.HMACSecretFile))
	return list
}

// exposedFiles judges who may read what is secret.
func (c *loaded) exposedFiles() []ops.Finding {
	const check, others = "file permissions", 0o007
	list := c.secretFiles()
	var found []ops.Finding
	for _, f := range list {
		info, err := os.Stat(f.path)
		if err != nil { // told where the file is used
			continue
		}
		if mode := info.Mode().Perm(); mode&others != 0 {
			found = append(found, warned(check, "chmod o= "+shellWord(f.path), "%s (%s) is open to every user of this machine: mode %04o", f.path, f.key, mode))
		}
	}
	if found == nil && len(list) > 0 {
		found = append(found, passed(check, "none of %d files with secrets is open to others", len(list)))
	}
	return found
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// shellWord writes a file's name so that a shell reads it as one word.
func shellWord(name string) string {
	if plainWord.MatchString(name) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// serviceFile is one that producer or consumer reads, and operators' commands
// do not need. read notes what is wrong as a problem of the configuration.
type serviceFile struct {
	check string
	files []Path // empty, or the first empty: not configured
	read  func(*loaded) ops.Finding
}

func (c *loaded) serviceFiles() []ops.Finding {
	p, api := c.Producer, c.Consumer.API
	const token, signing = "partner token", "signing secret"
	var found []ops.Finding
	for _, f := range []serviceFile{
		{"tokens file", []Path{p.TokensFile}, (*loaded).tokensFinding},
		{"producer certificate", []Path{p.TLSCertFile, p.TLSKeyFile}, (*loaded).certificateFinding},
		{token, []Path{api.TokenFile}, func(c *loaded) ops.Finding {
			c.secretFile("consumer.api.token_file", api.TokenFile, nil)
			return passed(token, "in %s", api.TokenFile)
		}},
		{signing, []Path{api.HMACSecretFile}, func(c *loaded) ops.Finding {
			c.secretFile("consumer.api.hmac_secret_file", api.HMACSecretFile, checkSigningSecret)
			return passed(signing, "in %s", api.HMACSecretFile)
		}},
	} {
		if f.files[0] == "" {
			continue
		}
		probe := &loaded{Config: c.Config, origins: c.origins}
		result := f.read(probe)
		if len(probe.lines) > 0 {
			result = unreadable(f.check, strings.Join(probe.lines, "; "), f.files)
		}
		found = append(found, result)
	}
	return found
}

func (c *loaded) tokensFinding() ops.Finding {
	return passed("tokens file", "%d in %s", c.tokensFile().current().Len(), c.Producer.TokensFile)
}

func (c *loaded) certificateFinding() ops.Finding {
	file := string(c.Producer.TLSCertFile)
	pair := c.certificateFiles().current()
	if pair == nil {
		return ops.Finding{} // it is a problem
	}
	return expiry("producer certificate", "renew it: the producer reads the new one by itself", file, pair.Leaf.NotAfter)
}

// unreadable words why files cannot be used. That somebody else may read them is
// no fault of theirs.
func unreadable(check, problems string, files []Path) ops.Finding {
	for _, file := range files {
		f, err := os.Open(string(file))
		if err == nil {
			f.Close()
		}
		if errors.Is(err, fs.ErrPermission) {
			return warned(check, "sudo -u orderq orderq doctor   # as the service's user", "%s cannot be read by this user", file)
		}
	}
	return failed(check, "orderq config check", "%s", problems)
}
