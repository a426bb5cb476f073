package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"orderq/consumer"
	"orderq/producer"
	"orderq/streamutil"
)

// What follows maps the configuration to the packages' own: they know no keys,
// files or environment.

func (c *loaded) clientConfig() (streamutil.ClientConfig, error) {
	tls, err := c.redisTLS()
	return streamutil.ClientConfig{
		Addresses: c.Redis.Addresses, DB: c.Redis.DB, TLS: tls,
		Username: c.Redis.Username, Password: c.RedisPassword.Reveal(),
		SentinelMaster: c.Redis.Sentinel.Master, SentinelAddresses: c.Redis.Sentinel.Addresses,
		Durability: c.Redis.Durability,
	}, err
}

func (c *loaded) queueConfig() streamutil.QueueConfig {
	return streamutil.QueueConfig{
		Name: c.Queue.Name, MaxBacklog: c.Queue.MaxBacklog, MaxInFlight: c.Queue.MaxInFlight,
		Retention: c.Queue.Retention, LogMax: c.Queue.LogMax,
	}
}

func (c *loaded) producerConfig(log *zap.Logger, reg prometheus.Registerer) producer.Config {
	p := c.Producer
	cfg := producer.Config{
		MaxBody: int64(p.MaxBody), MaxRequests: p.MaxRequests, MaxBatches: p.MaxBatches, IDField: p.IDField, Page: p.Page,
		AllowedOrigins: p.AllowedOrigins, RateLimit: p.RateLimit,
		Logger: log.Named("producer"), Registerer: reg,
	}
	if c.tokens != nil {
		cfg.Tokens = c.tokens.follow(log)
	}
	return cfg
}

func (c *loaded) consumerConfig(log *zap.Logger, reg prometheus.Registerer) consumer.Config {
	return consumer.Config{
		Pace: &c.Consumer.Pace, Lease: c.Consumer.Lease, StopTimeout: c.Consumer.StopTimeout,
		CallTimeout: c.Consumer.API.Timeout, OnUncertain: consumer.UncertainPolicy(c.Consumer.OnUncertain),
		MaxAttempts: c.Consumer.MaxAttempts, MaxHold: c.Consumer.MaxHold,
		Version: readBuildInfo().Version, Logger: log, Registerer: reg,
	}
}

func (c *loaded) senderConfig(log *zap.Logger) (consumer.HTTPConfig, error) {
	api := c.Consumer.API
	accepted, err := consumer.ParseAccepted(api.Accept)
	token, signing := c.apiToken.follow(log), c.hmacSecret.follow(log)
	return consumer.HTTPConfig{
		URL: api.URL, Method: api.Method, Timeout: api.Timeout, Accept: accepted, Headers: api.Headers,
		Token: func() string { return token().Reveal() },
		SigningKey: func() []byte {
			key, _ := consumer.ParseSecret(signing().Reveal()) // checked when it was read
			return key
		},
		UserAgent: "orderq/" + readBuildInfo().Version,
	}, err
}

func checkSigningSecret(text string) error {
	_, err := consumer.ParseSecret(text)
	return err
}

func (c *loaded) newSender(log *zap.Logger) (*consumer.HTTPSender, error) {
	cfg, err := c.senderConfig(log)
	if err != nil {
		return nil, err
	}
	return consumer.NewHTTPSender(cfg)
}
