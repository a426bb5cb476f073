package ops

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"orderq/streamutil"
)

// badFrom never repeats what was typed: there may be a password in it.
const badFrom = "--from: want redis://[USER:PASSWORD@]HOST[:PORT][/DB], or rediss:// with TLS; " +
	"of a password write %% and all of : / ? # @ [ ] as %%XX, or put it into a file and use --from-password-file"

// server is what --from names.
func (l *listImport) server() (streamutil.ClientConfig, error) {
	bad := usagef(badFrom)
	u, err := url.Parse(l.from)
	if err != nil || (u.Scheme != "redis" && u.Scheme != "rediss") || u.Hostname() == "" ||
		u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" {
		return streamutil.ClientConfig{}, bad
	}
	cfg := streamutil.ClientConfig{RESP2: true}
	port := u.Port()
	if port == "" {
		port = "6379"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return cfg, bad
	}
	cfg.Addresses = []string{net.JoinHostPort(u.Hostname(), port)}
	if db := strings.TrimPrefix(u.Path, "/"); db != "" {
		if cfg.DB, err = strconv.Atoi(db); err != nil || cfg.DB < 0 {
			return cfg, bad
		}
	}
	cfg.Username = u.User.Username()
	cfg.Password, _ = u.User.Password()
	if u.Scheme == "rediss" {
		cfg.TLS = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	}
	if l.passwordFile == "" {
		return cfg, nil
	}
	if cfg.Password != "" {
		return cfg, usagef("--from-password-file: --from has a password, too; want one of them")
	}
	cfg.Password, err = readPassword(l.passwordFile)
	return cfg, err
}

func readPassword(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(string(b), "\r\n")
	switch {
	case password == "":
		return "", fmt.Errorf("read the password: %s is empty", file)
	case strings.ContainsAny(password, "\r\n"):
		return "", fmt.Errorf("read the password: %s: want the password alone, on one line", file)
	}
	return password, nil
}

// sourceSays adds to an error of the list's server what to do.
func (im *importing) sourceSays(err error) error {
	at := im.source.Redis()
	text := err.Error()
	switch {
	case errors.Is(err, streamutil.ErrNotList):
		return fmt.Errorf("%s: %s: %w; is the name right, and the database?", at, quoted(im.key), err)
	case streamutil.ErrorKind(err) == "auth", strings.Contains(text, "invalid password"), strings.Contains(text, "'auth' command"), strings.Contains(text, "sent AUTH"):
		return fmt.Errorf("%s refuses us: %w; see the user and password of --from", at, err)
	case streamutil.ErrorKind(err) == "readonly":
		return fmt.Errorf("%s takes no writes: %w; if it is a replica, name its master", at, err)
	case errors.Is(err, streamutil.ErrUnavailable):
		return fmt.Errorf("%s does not answer (%w); see whether it runs, and --from", at, err)
	}
	return fmt.Errorf("%s: %w", at, err)
}
