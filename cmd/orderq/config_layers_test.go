package main

import "testing"

func TestLayersWinInTheirOrder(t *testing.T) {
	const (
		yaml = "queue:\n  name: from-file\n"
		env  = "ORDERQ_QUEUE__NAME=from-env"
		dot  = "ORDERQ_QUEUE__NAME=from-dotenv\n"
	)
	for _, tt := range []struct {
		name       string
		in         setting
		want, from string
	}{
		{"nothing", setting{}, "orders", "default"},
		{"file", setting{files: map[string]string{"orderq.yaml": yaml}}, "from-file", "file orderq.yaml"},
		{"dotenv over file", setting{files: map[string]string{"orderq.yaml": yaml, ".env": dot}}, "from-dotenv", ".env"},
		{
			"environment over dotenv",
			setting{files: map[string]string{"orderq.yaml": yaml, ".env": dot}, environ: []string{env}},
			"from-env", "env ORDERQ_QUEUE__NAME",
		},
		{
			"set over environment",
			setting{files: map[string]string{".env": dot}, environ: []string{env}, set: []string{"queue.name=from-set"}},
			"from-set", "flag --set",
		},
		{"last set wins", setting{set: []string{"queue.name=first", "queue.name=second"}}, "second", "flag --set"},
		{"queue over set", setting{set: []string{"queue.name=from-set"}, queue: "from-flag"}, "from-flag", "flag --queue"},
		{"null says nothing", setting{files: map[string]string{"orderq.yaml": "queue: {name: ~}\n"}}, "orders", "default"},
		{"empty section", setting{files: map[string]string{"orderq.yaml": "queue:\nredis: ~\n"}}, "orders", "default"},
		{"empty file", setting{files: map[string]string{"orderq.yaml": "# nothing yet\n"}}, "orders", "default"},
		{"dotted key", setting{files: map[string]string{"orderq.yaml": "queue.name: dotted\n"}}, "dotted", "file orderq.yaml"},
		{"asked for", setting{files: map[string]string{"orderq.yaml": yaml, "my.yaml": "queue: {name: mine}"}, config: "my.yaml"}, "mine", "file my.yaml"},
		{
			"asked for by variable",
			setting{files: map[string]string{"orderq.yaml": yaml, "my.yaml": "queue: {name: mine}"}, environ: []string{"ORDERQ_CONFIG=my.yaml"}},
			"mine", "file my.yaml",
		},
		{"system's file last", setting{files: map[string]string{"etc/orderq.yaml": yaml}}, "from-file", "file etc/orderq.yaml"},
		{"local file first", setting{files: map[string]string{"etc/orderq.yaml": "queue: {name: no}", "orderq.yaml": yaml}}, "from-file", "file orderq.yaml"},
		{"dotenv beside the file", setting{files: map[string]string{"a/q.yaml": yaml, "a/.env": dot, ".env": "ORDERQ_QUEUE__NAME=no"}, config: "a/q.yaml"}, "from-dotenv", ".env"},
		{"dotenv in the working directory", setting{files: map[string]string{"a/q.yaml": yaml, ".env": dot}, config: "a/q.yaml"}, "from-dotenv", ".env"},
		{"no keys", setting{environ: []string{"ORDERQ_TEST_X=1", "orderq_queue__name=x", "OTHER=1"}}, "orders", "default"},
		{"names of others in dotenv", setting{files: map[string]string{".env": "APP_KEY=1\nbroken line\nX='unclosed\n"}}, "orders", "default"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.in.mustLoad(t)
			if got := c.value(t, "queue.name"); got != tt.want {
				t.Errorf("queue.name = %s, want %s", got, tt.want)
			}
			if got := c.origin("queue.name").label; got != tt.from {
				t.Errorf("origin = %s, want %s", got, tt.from)
			}
		})
	}
}

func TestValuesAreReadAsWritten(t *testing.T) {
	for _, tt := range []struct {
		name, key, want string
		in              setting
	}{
		{"octal-looking password", "redis.password", "0123", setting{files: map[string]string{"orderq.yaml": "redis: {password: 0123}"}}},
		{"list in a file", "redis.addresses", "['a:1', 'b:2']", setting{files: map[string]string{"orderq.yaml": "redis:\n  addresses:\n  - a:1\n  - b:2\n"}}},
		{"list in the environment", "redis.addresses", "['a:1', 'b:2']", setting{environ: []string{"ORDERQ_REDIS__ADDRESSES=a:1, b:2,"}}},
		{"list replaces list", "consumer.api.accept", `["200"]`, setting{files: map[string]string{"orderq.yaml": "consumer: {api: {accept: [2xx, 409]}}"}, set: []string{"consumer.api.accept=200"}}},
		{"list emptied", "producer.allowed_origins", "[]", setting{files: map[string]string{"orderq.yaml": "producer: {allowed_origins: ['https://a.example']}"}, environ: []string{"ORDERQ_PRODUCER__ALLOWED_ORIGINS="}}},
		{"numbers in a list", "consumer.api.accept", `[2xx, "409"]`, setting{files: map[string]string{"orderq.yaml": "consumer: {api: {accept: [2xx, 409]}}"}}},
		{"headers hidden", "consumer.api.headers", "{X-Key: '[hidden]'}", setting{environ: []string{"ORDERQ_CONSUMER__API__HEADERS=x-key=a=b"}}},
		{"text emptied", "redis.username", `""`, setting{files: map[string]string{"orderq.yaml": "redis: {username: u}"}, environ: []string{"ORDERQ_REDIS__USERNAME="}}},
		{"bytes", "producer.max_body", "1MiB", setting{set: []string{"producer.max_body=1024KiB"}}},
		{"plain bytes", "producer.max_body", `"65537"`, setting{set: []string{"producer.max_body=65537"}}},
		{"decimal bytes", "producer.max_body", `"500000"`, setting{set: []string{"producer.max_body=500kB"}}},
		{"pace", "consumer.pace", "2500/h", setting{set: []string{"consumer.pace=2500/h"}}},
		{"durability", "redis.durability", "replicas=2", setting{set: []string{"redis.durability=replicas=2"}}},
		{"bool as YAML 1.1", "redis.tls", "true", setting{files: map[string]string{"orderq.yaml": "redis: {tls: yes}"}}},
		{"duration", "queue.retention", "1h30m", setting{set: []string{"queue.retention= 90m "}}},
		{"query hidden", "consumer.api.url", "https://p.example/o?[hidden]", setting{set: []string{"consumer.api.url=https://p.example/o?key=s3cret"}}},
		{"admin off", "producer.admin", `""`, setting{set: []string{"producer.admin="}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.in.mustLoad(t)
			got := c.value(t, tt.key)
			if tt.key == "redis.password" {
				got = c.RedisPassword.Reveal()
			}
			if got != tt.want {
				t.Errorf("%s = %s, want %s", tt.key, got, tt.want)
			}
		})
	}
}

func TestHeadersAreKept(t *testing.T) {
	c := setting{
		files: map[string]string{"orderq.yaml": "consumer: {api: {headers: {x-shop.name: tw, Authorization: 'Basic, x'}}}"},
	}.mustLoad(t)
	got := c.Consumer.API.Headers
	if got["X-Shop.name"] != "tw" || got["Authorization"] != "Basic, x" || len(got) != 2 {
		t.Errorf("headers = %q", got)
	}
}

func TestPathsStartAtTheirFile(t *testing.T) {
	c := setting{
		files: map[string]string{
			"etc/orderq.yaml":  "redis: {password_file: secret/redis}\nlog: {file: /var/log/x.log}\n",
			"etc/.env":         "ORDERQ_PRODUCER__TOKENS_FILE=tokens\n",
			"etc/secret/redis": "pass\r\n",
			"etc/tokens":       "shop submit x",
			"hmac":             "key\n",
		},
		set: []string{"consumer.api.hmac_secret_file=hmac"},
	}.mustLoad(t)
	for got, want := range map[Path]Path{
		c.Redis.PasswordFile: "etc/secret/redis", c.Log.File: "/var/log/x.log",
		c.Producer.TokensFile: "etc/tokens", c.Consumer.API.HMACSecretFile: "hmac",
	} {
		if got != want {
			t.Errorf("path = %s, want %s", got, want)
		}
	}
	if c.RedisPassword.Reveal() != "pass" || c.hmacSecret.current().Reveal() != "key" {
		t.Errorf("secrets = %q, %q", c.RedisPassword.Reveal(), c.hmacSecret.current().Reveal())
	}
}

func TestCredentialsAreTheLastResort(t *testing.T) {
	files := map[string]string{"cred/redis.password": "from-systemd\n", "cred/api.token": "token", "own": "from-file"}
	environ := []string{"CREDENTIALS_DIRECTORY=cred"}
	for _, tt := range []struct {
		name, want, from string
		set              []string
	}{
		{"credential", "from-systemd", "credential redis.password", nil},
		{"file first", "from-file", "flag --set", []string{"redis.password_file=own"}},
		{"password first", "plain", "default", []string{"redis.password=plain"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := setting{files: files, environ: environ, set: tt.set}.mustLoad(t)
			if got := c.RedisPassword.Reveal(); got != tt.want {
				t.Errorf("password = %q, want %q", got, tt.want)
			}
			if got := c.origin("redis.password_file").label; got != tt.from {
				t.Errorf("origin = %s, want %s", got, tt.from)
			}
			if c.apiToken.current().Reveal() != "token" {
				t.Errorf("token = %q", c.apiToken.current().Reveal())
			}
		})
	}
}

func TestPasswordOfTheSystem(t *testing.T) {
	for _, tt := range []struct {
		name, config, password, want, from string
		environ, set                       []string
	}{
		{name: "beside the system's file", password: "shared\n", want: "shared", from: "etc/redis.password"},
		{name: "beside another of its files", config: "etc/shop2.yaml", password: "shared", want: "shared", from: "etc/redis.password"},
		{name: "as installed", password: "\n", from: "default"},
		{name: "not beside a file elsewhere", config: "own/orderq.yaml", password: "shared", from: "default"},
		{name: "what is set wins", password: "shared", set: []string{"redis.password=plain"}, want: "plain", from: "default"},
		{name: "systemd wins", password: "shared", environ: []string{"CREDENTIALS_DIRECTORY=cred"}, want: "from-systemd", from: "credential redis.password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{
				"etc/orderq.yaml": "{}", "etc/shop2.yaml": "{}", "own/orderq.yaml": "{}",
				"etc/redis.password": tt.password, "cred/redis.password": "from-systemd", "cred/api.token": "\n",
			}
			c := setting{files: files, config: tt.config, environ: tt.environ, set: tt.set}.mustLoad(t)
			if got := c.RedisPassword.Reveal(); got != tt.want {
				t.Errorf("password = %q, want %q", got, tt.want)
			}
			if got := c.origin("redis.password_file").label; got != tt.from {
				t.Errorf("origin = %s, want %s", got, tt.from)
			}
			if c.apiToken != nil {
				t.Error("an empty credential counts as a token")
			}
		})
	}
}
