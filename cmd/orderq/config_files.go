package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"orderq/producer"
)

// useCredentials falls back to the files that systemd hands a service, where
// the configuration names none. Their names are those of the secrets.
func (c *loaded) useCredentials(dir string) {
	if dir == "" {
		return
	}
	for _, cred := range []struct {
		name, key string
		path      *Path
		taken     bool
	}{
		{"redis.password", "redis.password_file", &c.Redis.PasswordFile, c.Redis.Password != ""},
		{"tokens", "producer.tokens_file", &c.Producer.TokensFile, false},
		{"api.token", "consumer.api.token_file", &c.Consumer.API.TokenFile, false},
		{"api.hmac_secret", "consumer.api.hmac_secret_file", &c.Consumer.API.HMACSecretFile, false},
	} {
		path := filepath.Join(dir, cred.name)
		if cred.taken || *cred.path != "" || holdsNothing(path) {
			continue
		}
		*cred.path = Path(path)
		c.found(cred.key, "credentials", "credential "+cred.name)
	}
}

// useSystemPassword lets the operators' commands find the password that the
// services get from systemd: it is beside the configuration of the system.
func (c *loaded) useSystemPassword(src sources, file string) {
	path := filepath.Join(filepath.Dir(src.system), "redis.password")
	if file == "" || filepath.Dir(file) != filepath.Dir(src.system) ||
		c.Redis.Password != "" || c.Redis.PasswordFile != "" || holdsNothing(path) {
		return
	}
	c.Redis.PasswordFile = Path(path)
	c.found("redis.password_file", "system", path)
}

// found notes where a file is from that the configuration does not name.
func (c *loaded) found(key, layer, at string) {
	c.origins[key] = origin{layer: layer, label: at, at: at}
	if len(c.layers) == 0 || c.layers[len(c.layers)-1] != layer {
		c.layers = append(c.layers, layer)
	}
}

// holdsNothing reports whether there is no such file, or one that stands for no
// secret: empty, as it is installed. One that cannot be read may hold something.
func holdsNothing(path string) bool {
	text, err := os.ReadFile(path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(bytes.TrimSpace(text)) == 0
}

// checkRole reads the files that the role needs and asks for what it requires.
func (c *loaded) checkRole(r role) {
	if r == roleNone {
		return
	}
	c.RedisPassword = c.Redis.Password
	if c.Redis.PasswordFile != "" && c.Redis.Password == "" {
		c.RedisPassword = c.secretFile("redis.password_file", c.Redis.PasswordFile, nil).current()
	}
	if _, err := c.redisTLS(); err != nil {
		c.problemf("redis.ca_file", "%v", err)
	}
	if r == roleProducer || r == roleAny {
		c.tokens = c.tokensFile()
		c.certificate = c.certificateFiles()
	}
	if r == roleConsumer || r == roleAny {
		c.apiToken = c.secretFile("consumer.api.token_file", c.Consumer.API.TokenFile, nil)
		c.hmacSecret = c.secretFile("consumer.api.hmac_secret_file", c.Consumer.API.HMACSecretFile, checkSigningSecret)
	}
	if r == roleConsumer && c.Consumer.API.URL == "" {
		c.problemf("consumer.api.url", "is not set: orderq consumer needs the partner's address, such as https://partner.example/orders")
	}
}

// secretFile reads the one line of a file; no name gives no secret.
func (c *loaded) secretFile(key string, path Path, check func(string) error) *watched[Secret] {
	return watchFile(c, key, path, func(text string) (Secret, error) {
		switch {
		case text == "":
			return "", errors.New("is empty")
		case strings.ContainsAny(text, "\r\n"):
			return "", errors.New("has more than one line")
		case check != nil:
			return Secret(text), check(text)
		}
		return Secret(text), nil
	})
}

// tokensFile reads who may come in; without a file everybody may.
func (c *loaded) tokensFile() *watched[producer.Tokens] {
	return watchFile(c, "producer.tokens_file", c.Producer.TokensFile, func(text string) (producer.Tokens, error) {
		tokens, err := producer.ParseTokens(text)
		if err == nil && tokens.Len() == 0 {
			err = errors.New("holds no token, so that nobody could come in: want lines NAME SCOPES SECRET")
		}
		return tokens, err
	})
}

// watchFile reads the file of a key and notes all that is wrong with it. Without
// a name there is nothing to watch.
func watchFile[T any](c *loaded, key string, path Path, parse func(text string) (T, error)) *watched[T] {
	if path == "" {
		return nil
	}
	w, err := watch(key, func(texts []string) (T, error) { return parse(texts[0]) }, path)
	if err != nil {
		for fault := range strings.SplitSeq(err.Error(), "\n") {
			c.problemf(key, "%s: %s", path, fault)
		}
	}
	return w
}

// certificateFiles reads what HTTPS is served with: nothing without both files.
func (c *loaded) certificateFiles() *watched[*tls.Certificate] {
	cert, key := c.Producer.TLSCertFile, c.Producer.TLSKeyFile
	if cert == "" || key == "" {
		return nil
	}
	w, err := watch("producer.tls_cert_file", func(texts []string) (*tls.Certificate, error) {
		pair, err := tls.X509KeyPair([]byte(texts[0]), []byte(texts[1]))
		return &pair, err
	}, cert, key)
	if err != nil {
		c.problemf("producer.tls_cert_file", "with producer.tls_key_file: %v", err)
	}
	return w
}

// redisTLS gives the TLS settings for Redis; nil is a plain connection.
func (c *loaded) redisTLS() (*tls.Config, error) {
	if !c.Redis.TLS {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.Redis.CAFile == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(string(c.Redis.CAFile))
	if err != nil {
		return nil, err
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New(string(c.Redis.CAFile) + ": holds no PEM certificate")
	}
	return cfg, nil
}
