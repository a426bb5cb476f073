package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// checkRelations looks at values that must fit each other.
func (c *loaded) checkRelations() {
	k := c.Consumer
	// A call must be able to end before its process counts as dead, and
	// before a stop gives it up.
	c.longer("consumer.lease", k.Lease, "consumer.api.timeout", k.API.Timeout)
	c.longer("consumer.stop_timeout", k.StopTimeout, "consumer.api.timeout", k.API.Timeout)
	if c.Redis.CAFile != "" && !c.Redis.TLS {
		c.problemf("redis.ca_file", "counts only with redis.tls: true")
	}
	c.together("redis.sentinel.master", c.Redis.Sentinel.Master != "", "redis.sentinel.addresses", len(c.Redis.Sentinel.Addresses) > 0)
	c.together("producer.tls_cert_file", c.Producer.TLSCertFile != "", "producer.tls_key_file", c.Producer.TLSKeyFile != "")
	if c.Redis.Password != "" && c.Redis.PasswordFile != "" {
		c.problemf("redis.password", "is set, and redis.password_file too (%s); keep one", c.origin("redis.password_file").where())
	}
}

func (c *loaded) longer(key string, value time.Duration, than string, least time.Duration) {
	if c.failed[key] || c.failed[than] || value > least {
		return
	}
	// The complaint stands where somebody set something.
	at := c.origin(key).at
	if at == "" {
		at = c.origin(than).at
	}
	c.addf(at, key, "%s (%s) must be longer than %s, %s (%s)",
		durationText(value), c.origin(key).where(), than, durationText(least), c.origin(than).where())
}

func (c *loaded) together(key string, set bool, other string, otherSet bool) {
	switch {
	case set && !otherSet:
		c.problemf(key, "needs %s too", other)
	case otherSet && !set:
		c.problemf(other, "needs %s too", key)
	}
}

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
		{"api.token", "consumer.api.token_file", &c.Consumer.API.TokenFile, false},
		{"api.hmac_secret", "consumer.api.hmac_secret_file", &c.Consumer.API.HMACSecretFile, false},
	} {
		path := filepath.Join(dir, cred.name)
		if _, err := os.Stat(path); err != nil || cred.taken || *cred.path != "" {
			continue
		}
		*cred.path = Path(path)
		c.origins[cred.key] = origin{layer: "credentials", label: "credential " + cred.name, at: "credential " + cred.name}
		if len(c.layers) == 0 || c.layers[len(c.layers)-1] != "credentials" {
			c.layers = append(c.layers, "credentials")
		}
	}
}

// checkRole reads the files that the role needs and asks for what it requires.
func (c *loaded) checkRole(r role) {
	if r == roleNone {
		return
	}
	c.RedisPassword = c.Redis.Password
	if c.Redis.PasswordFile != "" && c.Redis.Password == "" {
		c.RedisPassword = c.secretFile("redis.password_file", c.Redis.PasswordFile, nil)
	}
	if _, err := c.redisTLS(); err != nil {
		c.problemf("redis.ca_file", "%v", err)
	}
	if r == roleProducer || r == roleAny {
		c.checkProducerFiles()
	}
	if r == roleConsumer || r == roleAny {
		c.APIToken = c.secretFile("consumer.api.token_file", c.Consumer.API.TokenFile, nil)
		c.HMACSecret = c.secretFile("consumer.api.hmac_secret_file", c.Consumer.API.HMACSecretFile, checkSigningSecret)
	}
	if r == roleConsumer && c.Consumer.API.URL == "" {
		c.problemf("consumer.api.url", "is not set: orderq consumer needs the partner's address, such as https://partner.example/orders")
	}
}

func (c *loaded) checkProducerFiles() {
	p := c.Producer
	if p.TokensFile != "" {
		if _, err := os.ReadFile(string(p.TokensFile)); err != nil {
			c.problemf("producer.tokens_file", "%s: %s", p.TokensFile, reason(err))
		}
		c.Notes = append(c.Notes, "producer.tokens_file protects nothing in this version: keep producer.listen where only the shop's own servers reach it")
	}
	if p.RateLimit != "" || len(p.AllowedOrigins) > 0 {
		c.Notes = append(c.Notes, "producer.rate_limit and producer.allowed_origins have no effect in this version")
	}
	if p.TLSCertFile != "" && p.TLSKeyFile != "" {
		if _, err := tls.LoadX509KeyPair(string(p.TLSCertFile), string(p.TLSKeyFile)); err != nil {
			c.problemf("producer.tls_cert_file", "with producer.tls_key_file: %v", err)
		}
	}
}

// secretFile reads a secret; no name gives none.
func (c *loaded) secretFile(key string, path Path, check func(string) error) Secret {
	if path == "" {
		return ""
	}
	secret, err := readSecret(path, check)
	if err != nil {
		c.problemf(key, "%s: %v", path, err)
	}
	return secret
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
