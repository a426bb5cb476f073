package main

import "time"

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
