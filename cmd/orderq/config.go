package main

import (
	"time"

	"orderq/producer"
	"orderq/streamutil"
)

// Config holds every key that the configuration knows. The koanf tags are the
// names in the file; a key a.b_c is ORDERQ_A__B_C in the environment. After a
// change here, change deploy/orderq.yaml too: a test compares them.
type Config struct {
	Redis    RedisConfig    `koanf:"redis"`
	Queue    QueueConfig    `koanf:"queue"`
	Producer ProducerConfig `koanf:"producer"`
	Consumer ConsumerConfig `koanf:"consumer"`
	Log      LogConfig      `koanf:"log"`
}

// RedisConfig says where Redis is and how safe a write must be.
type RedisConfig struct {
	// Addresses are the servers, HOST:PORT: one, or the nodes of a cluster.
	Addresses []string `koanf:"addresses"`
	// Username is the ACL user; empty is Redis's default user.
	Username string `koanf:"username"`
	// Password is better said by PasswordFile; empty sends none.
	Password Secret `koanf:"password"`
	// PasswordFile holds the password; a newline at its end does not count.
	PasswordFile Path `koanf:"password_file"`
	// DB is the database's number.
	DB int `koanf:"db"`
	// TLS encrypts the connection; CAFile names who may sign the server's
	// certificate, empty being those whom the system trusts.
	TLS    bool `koanf:"tls"`
	CAFile Path `koanf:"ca_file"`
	// Durability is what must hold before a write counts as done.
	Durability streamutil.Durability `koanf:"durability"`
	Sentinel   SentinelConfig        `koanf:"sentinel"`
}

// SentinelConfig finds the master by asking sentinels.
type SentinelConfig struct {
	// Master is the name the sentinels know the master by; empty asks none.
	Master string `koanf:"master"`
	// Addresses are the sentinels, HOST:PORT.
	Addresses []string `koanf:"addresses"`
}

// QueueConfig says which queue, and its bounds.
type QueueConfig struct {
	// Name is 1 to 64 of a-z, 0-9, _ and -.
	Name string `koanf:"name"`
	// MaxBacklog is how many unfinished orders the queue holds before it
	// refuses new ones.
	MaxBacklog int64 `koanf:"max_backlog"`
	// MaxInFlight is how many calls may run at once, over all processes.
	MaxInFlight int `koanf:"max_in_flight"`
	// Retention is how long a finished order can still be looked up.
	Retention time.Duration `koanf:"retention"`
	// LogMax is how many lines the queue's own log keeps.
	LogMax int64 `koanf:"log_max"`
}

// ProducerConfig is for orderq producer.
type ProducerConfig struct {
	// Listen is where orders come in, HOST:PORT or unix:PATH.
	Listen string `koanf:"listen"`
	// Admin serves metrics and probes, HOST:PORT or unix:PATH; empty turns it
	// off.
	Admin string `koanf:"admin"`
	// TokensFile lists who may do what; empty lets everybody in.
	TokensFile Path `koanf:"tokens_file"`
	// AllowedOrigins are the pages that may call from a browser.
	AllowedOrigins []string `koanf:"allowed_origins"`
	// MaxBody bounds an order.
	MaxBody ByteSize `koanf:"max_body"`
	// MaxRequests bounds the requests that run at once.
	MaxRequests int `koanf:"max_requests"`
	// MaxBatches bounds the batches among them: each may hold 16 MiB.
	MaxBatches int `koanf:"max_batches"`
	// RateLimit bounds each client, as in 100/s; empty sets no bound.
	RateLimit producer.Rate `koanf:"rate_limit"`
	// IDField is the key of an order that holds its id.
	IDField string `koanf:"id_field"`
	// Page serves the demo order page even where there is a TokensFile.
	Page bool `koanf:"page"`
	// TLSCertFile and TLSKeyFile serve HTTPS, and may be replaced at any time;
	// both empty is plain HTTP.
	TLSCertFile Path `koanf:"tls_cert_file"`
	TLSKeyFile  Path `koanf:"tls_key_file"`
	// DrainDelay is how long /readyz says no before the listener closes: give
	// it the time a load balancer needs to notice.
	DrainDelay time.Duration `koanf:"drain_delay"`
	// StopTimeout bounds the end of the requests that run at a stop.
	StopTimeout time.Duration `koanf:"stop_timeout"`
}

// ConsumerConfig is for orderq consumer.
type ConsumerConfig struct {
	// Admin serves metrics and probes, HOST:PORT or unix:PATH; empty turns it
	// off.
	Admin string `koanf:"admin"`
	// Pace is the most calls that may start, over all processes.
	Pace streamutil.Pace `koanf:"pace"`
	// Lease is how long a process may be silent before its orders are taken
	// over.
	Lease time.Duration `koanf:"lease"`
	// StopTimeout bounds the end of the calls that run at a stop.
	StopTimeout time.Duration `koanf:"stop_timeout"`
	// MaxAttempts is how many strikes make an order a dead letter.
	MaxAttempts int `koanf:"max_attempts"`
	// MaxHold bounds what a partner's Retry-After can ask for.
	MaxHold time.Duration `koanf:"max_hold"`
	// OnUncertain is what follows a call whose answer was lost: retry or dead.
	OnUncertain string    `koanf:"on_uncertain"`
	API         APIConfig `koanf:"api"`
}

// APIConfig is the partner's API.
type APIConfig struct {
	// URL is where orders are sent. Only orderq consumer needs it.
	URL string `koanf:"url"`
	// Method is the HTTP method.
	Method string `koanf:"method"`
	// Timeout bounds one call, from its first byte to the end of the answer.
	Timeout time.Duration `koanf:"timeout"`
	// Accept lists the statuses that mean delivered: classes such as 2xx, which
	// always counts, or single ones.
	Accept []string `koanf:"accept"`
	// TokenFile holds the bearer token; empty sends none.
	TokenFile Path `koanf:"token_file"`
	// Headers are sent with every call. Their values are never shown.
	Headers map[string]string `koanf:"headers"`
	// HMACSecretFile holds the key that signs every call; empty signs none.
	HMACSecretFile Path `koanf:"hmac_secret_file"`
}

// LogConfig says what is logged, how and where.
type LogConfig struct {
	// Level is debug, info, warn or error.
	Level string `koanf:"level"`
	// Format is json, console or auto: console on a terminal.
	Format string `koanf:"format"`
	// File is appended to; empty logs to standard error.
	File Path `koanf:"file"`
}

// defaultConfig is the configuration of somebody who says nothing.
func defaultConfig() Config {
	return Config{
		Redis: RedisConfig{Addresses: []string{"127.0.0.1:6379"}},
		Queue: QueueConfig{
			Name: "orders", MaxBacklog: 1_000_000, MaxInFlight: 10,
			Retention: 72 * time.Hour, LogMax: 10_000,
		},
		Producer: ProducerConfig{
			Listen: "127.0.0.1:8080", Admin: "127.0.0.1:9181",
			MaxBody: 64 << 10, MaxRequests: 512, MaxBatches: 8, IDField: "order_id",
			StopTimeout: 20 * time.Second,
		},
		Consumer: ConsumerConfig{
			Admin: "127.0.0.1:9182", Pace: streamutil.Every(time.Second),
			Lease: 15 * time.Second, StopTimeout: 20 * time.Second,
			MaxAttempts: 8, MaxHold: time.Hour, OnUncertain: "retry",
			API: APIConfig{Method: "POST", Timeout: 10 * time.Second, Accept: []string{"2xx"}},
		},
		Log: LogConfig{Level: "info", Format: "auto"},
	}
}
