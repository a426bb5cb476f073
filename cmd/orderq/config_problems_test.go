package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadValues has one of each kind of key, and every rule about a value.
func TestBadValues(t *testing.T) {
	for set, want := range map[string]string{
		"redis.addresses=":                   `redis.addresses: is empty: want HOST:PORT`,
		"redis.addresses=redis":              `redis.addresses: "redis": want HOST:PORT, such as 127.0.0.1:6379`,
		"redis.addresses=a:1,b:70000":        `redis.addresses: "b:70000": want HOST:PORT, such as 127.0.0.1:6379`,
		"redis.addresses=redis://u:s3cr3t@h": `redis.addresses: the value: want HOST:PORT, such as 127.0.0.1:6379`,
		"redis.db=-1":                        `redis.db: -1: want at least 0`,
		"redis.db=x":                         `redis.db: "x": want a whole number`,
		"redis.db=":                          `redis.db: "": want a whole number`,
		"redis.tls=maybe":                    `redis.tls: "maybe": want true or false`,
		"redis.ca_file=ca.pem":               `redis.ca_file: counts only with redis.tls: true`,
		"redis.durability=disk":              `redis.durability: durability "disk": want memory, fsync or replicas=N with N of 1 to 99`,
		"redis.password_file=none":           `redis.password_file: none: no such file or directory`,
		"redis.sentinel.master=m":            `redis.sentinel.master: needs redis.sentinel.addresses too`,
		"redis.sentinel.addresses=a:1":       `redis.sentinel.addresses: needs redis.sentinel.master too`,
		"queue.name=Orders":                  `queue.name: "Orders": want 1 to 64 of a-z, 0-9, _ and -`,
		"queue.name=":                        `queue.name: "": want 1 to 64 of a-z, 0-9, _ and -`,
		"queue.max_backlog=0":                `queue.max_backlog: 0: want at least 1`,
		"queue.max_backlog=1e6":              `queue.max_backlog: "1e6": want a whole number`,
		"queue.max_in_flight=0":              `queue.max_in_flight: 0: want at least 1`,
		"queue.retention=72":                 `queue.retention: "72": want a duration with its unit, such as 10s, 500ms or 72h`,
		"queue.retention=0s":                 `queue.retention: 0s: want at least 1s`,
		"queue.log_max=-5":                   `queue.log_max: -5: want at least 1`,
		"producer.listen=8080":               `producer.listen: "8080": want HOST:PORT, such as 127.0.0.1:8080, or unix:PATH`,
		"producer.admin=:x":                  `producer.admin: ":x": want HOST:PORT, such as 127.0.0.1:8080, or unix:PATH`,
		"producer.allowed_origins=*":         `producer.allowed_origins: "*": want an origin exactly as browsers send it, such as https://shop.example`,
		"producer.allowed_origins=http://a/": `producer.allowed_origins: "http://a/": want an origin exactly as browsers send it, such as https://shop.example`,
		"producer.max_body=64kb":             `producer.max_body: "64kb": want a size in bytes, such as 64KiB or 1MiB`,
		"producer.max_body=1GiB":             `producer.max_body: 1GiB: want at most 16MiB`,
		"producer.max_body=10":               `producer.max_body: 10: want at least 1KiB`,
		"producer.max_requests=0":            `producer.max_requests: 0: want at least 1`,
		"producer.max_batches=0":             `producer.max_batches: 0: want at least 1`,
		"producer.rate_limit=fast":           `producer.rate_limit: rate "fast": want NUMBER/s, NUMBER/m or NUMBER/h with a whole number, such as 100/s`,
		"producer.id_field=":                 `producer.id_field: is empty: want the key that holds the order's id`,
		"producer.tls_cert_file=x":           `producer.tls_cert_file: needs producer.tls_key_file too`,
		"producer.tokens_file=none":          `producer.tokens_file: none: no such file or directory`,
		"producer.stop_timeout=0s":           `producer.stop_timeout: 0s: want at least 1s`,
		"producer.drain_delay=-1s":           `producer.drain_delay: -1s: want at least 0s`,
		"consumer.pace=1":                    `consumer.pace: pace "1": want NUMBER/s, NUMBER/m, NUMBER/h or unlimited, such as 1/s or 30/m`,
		"consumer.pace=":                     `consumer.pace: pace is empty: want 1/s, 30/m, 2500/h or unlimited`,
		"consumer.max_attempts=0":            `consumer.max_attempts: 0: want at least 1`,
		"consumer.max_hold=1ms":              `consumer.max_hold: 1ms: want at least 1s`,
		"consumer.on_uncertain=drop":         `consumer.on_uncertain: "drop": want retry or dead`,
		"consumer.api.url=partner/orders":    `consumer.api.url: want an absolute http or https URL, such as https://partner.example/orders`,
		"consumer.api.url=ftp://a/b":         `consumer.api.url: want an absolute http or https URL, such as https://partner.example/orders`,
		"consumer.api.url=https://u:p@a/b":   `consumer.api.url: want no user and password in the URL; use consumer.api.token_file or consumer.api.headers`,
		"consumer.api.url=https://a/b#c":     `consumer.api.url: want no #fragment: it is never sent`,
		"consumer.api.method=P OST":          `consumer.api.method: "P OST": want an HTTP method, such as POST`,
		"consumer.api.timeout=1ms":           `consumer.api.timeout: 1ms: want at least 10ms`,
		"consumer.api.accept=2xx,ok":         `consumer.api.accept: status "ok": want a number of 200 to 599, or 2xx, 3xx, 4xx, 5xx`,
		"consumer.api.headers=X-Key":         `consumer.api.headers: want NAME=VALUE pairs with commas between`,
		"consumer.api.headers=X Key=1":       `consumer.api.headers: "X Key": not a header's name`,
		"consumer.api.token_file=none":       `consumer.api.token_file: none: no such file or directory`,
		"log.level=loud":                     `log.level: "loud": want debug, info, warn or error`,
		"log.format=xml":                     `log.format: "xml": want auto, json or console`,
		"redis.host=h":                       `redis.host: unknown key; redis has addresses, username, password, password_file, db, tls, ca_file, durability`,
		"consumer.timeout=5s":                `consumer.timeout: unknown key; did you mean consumer.api.timeout?`,
		"api.url=http://a":                   `api.url: unknown key`,
		"redis=a:1":                          `redis: is a section: set a key in it, such as redis.addresses`,
		"consumer.api.headers.X=1":           `consumer.api.headers.X: unknown key; did you mean consumer.api.headers?`,
	} {
		t.Run(set, func(t *testing.T) {
			_, err := setting{set: []string{set}}.load(t)
			wantProblems(t, err, "--set: "+want)
		})
	}
}

func TestBadFiles(t *testing.T) {
	for _, tt := range []struct {
		name, yaml string
		want       []string
	}{
		{"unknown key", "queue:\n  nam: x\n", []string{"orderq.yaml:2: queue.nam: unknown key; did you mean queue.name?"}},
		{"unknown section", "quene:\n  name: x\n", []string{"orderq.yaml:1: quene: unknown key; did you mean queue?"}},
		{"key twice", "queue:\n  name: a\n  name: b\n", []string{"orderq.yaml:3: queue.name: comes twice, first on line 2"}},
		{"section twice", "log: {level: info}\nqueue:\nlog: {level: warn}\n", []string{"orderq.yaml:3: log: comes twice, first on line 1"}},
		{"key twice in two ways", "queue.name: a\nqueue: {name: b}\n", []string{"orderq.yaml:2: queue.name: comes twice, first on line 1"}},
		{"text for a section", "redis: localhost:6379\n", []string{"orderq.yaml:1: redis: want a section: keys with values"}},
		{"list at the top", "- a\n", []string{"orderq.yaml:1: want a section: keys with values"}},
		{"section for a text", "queue: {name: {a: b}}\n", []string{"orderq.yaml:1: queue.name: want one value, not a list or a section"}},
		{"list for a text", "log: {level: [info]}\n", []string{"orderq.yaml:1: log.level: want one value, not a list or a section"}},
		{"list for a secret", "redis: {password: [s3cret]}\n", []string{"orderq.yaml:1: redis.password: want one value, not a list or a section"}},
		{"section for a list", "redis: {addresses: {a: b}}\n", []string{"orderq.yaml:1: redis.addresses: want a list"}},
		{"list for headers", "consumer: {api: {headers: [a]}}\n", []string{"orderq.yaml:1: consumer.api.headers: want names with values"}},
		{"header twice", "consumer: {api: {headers: {a: 1, a: 2}}}\n", []string{"orderq.yaml:1: consumer.api.headers: a comes twice"}},
		{"header of two lines", "consumer: {api: {headers: {a: \"1\\n2\"}}}\n", []string{"orderq.yaml:1: consumer.api.headers: A: a header's value is one line"}},
		{"nested list", "redis: {addresses: [[a]]}\n", []string{"orderq.yaml:1: redis.addresses: want a plain value"}},
		{"merge", "x: &x {name: a}\nqueue:\n  <<: *x\n", []string{
			"orderq.yaml:1: x: unknown key",
			"orderq.yaml:3: queue: only plain names can be keys here; write merged values out",
		}},
		{"reference", "queue: {name: &n a}\nproducer: {id_field: *n}\n", []string{"orderq.yaml:2: producer.id_field: references (*name) are not supported; write the value out"}},
		{"tag", "queue: {name: !env X}\n", []string{"orderq.yaml:1: queue.name: want a plain value"}},
		{"two documents", "queue: {name: a}\n---\nqueue: {name: b}\n", []string{"orderq.yaml: holds more than one document: want one, without a second ---"}},
		{"no YAML", "queue: {name: a\n", []string{"orderq.yaml: line 1: did not find expected ',' or '}'"}},
		{"tabs", "queue:\n\tname: a\n", []string{"orderq.yaml: line 2: found character that cannot start any token"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := setting{files: map[string]string{"orderq.yaml": tt.yaml}}.load(t)
			wantProblems(t, err, tt.want...)
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		in         setting
	}{
		{"asked for by flag", "--config: none.yaml: no such file or directory", setting{config: "none.yaml"}},
		{"asked for by variable", "ORDERQ_CONFIG: none.yaml: no such file or directory", setting{environ: []string{"ORDERQ_CONFIG=none.yaml"}}},
		{"a folder", "orderq.yaml: is a directory", setting{files: map[string]string{"orderq.yaml/x": ""}}},
		{"a folder as .env", ".env: is a directory", setting{files: map[string]string{".env/x": ""}}},
		{"empty secret", "--set: redis.password_file: p: is empty", setting{files: map[string]string{"p": "\n"}, set: []string{"redis.password_file=p"}}},
		{"no certificate", "--set: redis.ca_file: ca.pem: holds no PEM certificate", setting{files: map[string]string{"ca.pem": "x"}, set: []string{"redis.ca_file=ca.pem", "redis.tls=true"}}},
		{
			"no key pair", "--set: producer.tls_cert_file: with producer.tls_key_file: tls: failed to find any PEM data in certificate input",
			setting{files: map[string]string{"c": "x", "k": "x"}, set: []string{"producer.tls_cert_file=c", "producer.tls_key_file=k"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.in.load(t)
			wantProblems(t, err, tt.want)
		})
	}
}

func TestBadVariables(t *testing.T) {
	_, err := setting{
		files: map[string]string{".env": "# ours\nORDERQ_QUEUE_NAME=x\nORDERQ_REDIS__DB=x\nORDERQ_REDIS__DB=1\nORDERQ_LOG__LEVEL\n" +
			"REDIS_PASSWORD=\"open\nORDERQ_REDIS__USERNAME=${USER}\n"},
		environ: []string{"ORDERQ_REDIS__ADRESSES=a:1", "ORDERQ_NOTHING_LIKE_IT=1", "ORDERQ_QUEUE__MAX_IN_FLIGHT=many"},
	}.load(t)
	wantProblems(t, err,
		".env:4: ORDERQ_REDIS__DB: comes twice, first on line 3",
		".env:5: want NAME=VALUE",
		".env:6: REDIS_PASSWORD: the quote is not closed on this line",
		".env:7: ORDERQ_REDIS__USERNAME: references such as ${NAME} are not expanded; write the value out, or put it in single quotes",
		".env:2: ORDERQ_QUEUE_NAME: no key has this name; did you mean ORDERQ_QUEUE__NAME?",
		"ORDERQ_REDIS__ADRESSES: no key has this name; did you mean ORDERQ_REDIS__ADDRESSES?",
		"ORDERQ_NOTHING_LIKE_IT: no key has this name",
		`.env:3: ORDERQ_REDIS__DB: redis.db: "x": want a whole number`,
		`ORDERQ_QUEUE__MAX_IN_FLIGHT: queue.max_in_flight: "many": want a whole number`,
	)
}

func TestRelations(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   setting
		want []string
	}{
		{"lease as long as a call", setting{set: []string{"consumer.lease=10s"}}, []string{
			"--set: consumer.lease: 10s (--set) must be longer than consumer.api.timeout, 10s (default)",
		}},
		{"call longer than both", setting{files: map[string]string{"orderq.yaml": "consumer:\n  api: {timeout: 1m}\n"}}, []string{
			"orderq.yaml:2: consumer.lease: 15s (default) must be longer than consumer.api.timeout, 1m (orderq.yaml:2)",
			"orderq.yaml:2: consumer.stop_timeout: 20s (default) must be longer than consumer.api.timeout, 1m (orderq.yaml:2)",
		}},
		{"lease under a second", setting{set: []string{"consumer.lease=900ms", "consumer.api.timeout=500ms"}}, []string{
			"--set: consumer.lease: 900ms: want at least 1s",
		}},
		{"not of unreadable values", setting{set: []string{"consumer.lease=x"}}, []string{
			`--set: consumer.lease: "x": want a duration with its unit, such as 10s, 500ms or 72h`,
		}},
		{"two passwords", setting{environ: []string{"REDIS_PASSWORD=p"}, set: []string{"redis.password_file=f"}}, []string{
			"REDIS_PASSWORD: redis.password: is set, and redis.password_file too (--set); keep one",
		}},
		{"no partner", setting{role: roleConsumer}, []string{
			"consumer.api.url: is not set: orderq consumer needs the partner's address, such as https://partner.example/orders",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.in.load(t)
			wantProblems(t, err, tt.want...)
		})
	}
}

func TestRolesOpenOnlyTheirFiles(t *testing.T) {
	const tokens, token, password = "producer.tokens_file=none", "consumer.api.token_file=none", "redis.password_file=none"
	for _, tt := range []struct {
		role role
		bad  []string
	}{
		{roleAny, []string{tokens, token, password}},
		{roleProducer, []string{tokens, password}},
		{roleConsumer, []string{token, password}},
		{roleOperator, []string{password}},
		{roleNone, nil},
	} {
		t.Run("role "+string(tt.role), func(t *testing.T) {
			for _, set := range []string{tokens, token, password} {
				want := false
				for _, bad := range tt.bad {
					want = want || bad == set
				}
				_, err := setting{set: []string{set, "consumer.api.url=http://a"}, role: tt.role}.load(t)
				if got := err != nil; got != want {
					t.Errorf("%s: error = %v, want one: %t", set, err, want)
				}
			}
		})
	}
}

// TestSecretOfSeveralLines: a token with a line break in it is no header value,
// and every call would fail.
func TestSecretOfSeveralLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := setting{set: []string{"consumer.api.token_file=" + file, "consumer.api.url=http://a"}, role: roleConsumer}.load(t)
	if err == nil || !strings.Contains(err.Error(), "has more than one line") || strings.Contains(err.Error(), "two") {
		t.Errorf("error %v; want it to name the fault and not the secret", err)
	}
}

// TestOrigins: an origin that no browser sends would let nobody in.
func TestOrigins(t *testing.T) {
	for origin, good := range map[string]bool{
		"https://shop.example":          true,
		"http://localhost:3000":         true,
		"https://shop_1.xn--bcher.test": true,
		"http://192.0.2.1:8080":         true,
		"http://[2001:db8::1]:8080":     true,
		"https://*.shop.example":        false,
		"https://shop.example/":         false,
		"https://shop.example?":         false,
		"https://shop.example#":         false,
		"https://Shop.example":          false,
		"HTTPS://shop.example":          false,
		"https://b\u00fccher.example":   false,
		"https://shop.example:443":      false,
		"http://shop.example:80":        false,
		"http://shop.example:443":       true,
		"https://shop.example:":         false,
		"https://u@shop.example":        false,
		"shop.example":                  false,
		"//shop.example":                false,
		"ftp://shop.example":            false,
		"null":                          false,
	} {
		t.Run(origin, func(t *testing.T) {
			c, err := setting{set: []string{"producer.allowed_origins=" + origin}}.load(t)
			if (err == nil) != good {
				t.Fatalf("error = %v, want none: %t", err, good)
			}
			if !good {
				return
			}
			if err := http.NewCrossOriginProtection().AddTrustedOrigin(c.Producer.AllowedOrigins[0]); err != nil {
				t.Errorf("net/http refuses what is good here: %v", err)
			}
		})
	}
}

func TestSocketPaths(t *testing.T) {
	const want = ": want a file's name after unix:, such as unix:/run/orderq/orders.sock"
	for path, problem := range map[string]string{
		"/run/orderq/orders.sock": "",
		"orders.sock":             "",
		strings.Repeat("a", 103):  "",
		strings.Repeat("a", 104):  "the socket's path has 104 bytes: want at most 103",
		"":                        `""` + want,
		"@abstract":               `the value` + want,
	} {
		for _, key := range []string{"producer.listen", "producer.admin", "consumer.admin"} {
			t.Run(key+" "+path, func(t *testing.T) {
				c, err := setting{files: map[string]string{"etc/orderq.yaml": ""}, config: "etc/orderq.yaml", set: []string{key + "=unix:" + path}}.load(t)
				if problem != "" {
					wantProblems(t, err, "--set: "+key+": "+problem)
				} else if err != nil || c.value(t, key) != "unix:"+path {
					t.Errorf("error %v, value %s", err, c.value(t, key))
				}
			})
		}
	}
}

// TestSampleFileHasEveryKeyAtItsDefault keeps deploy/orderq.yaml complete.
func TestSampleFileHasEveryKeyAtItsDefault(t *testing.T) {
	sample, err := os.ReadFile("../../deploy/orderq.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := setting{}.mustLoad(t)
	got := setting{files: map[string]string{"orderq.yaml": string(sample)}}.mustLoad(t)
	for _, l := range leaves(&got.Config) {
		if got.origin(l.key).label != "file orderq.yaml" {
			t.Errorf("%s is missing", l.key)
		}
		if g, w := got.value(t, l.key), want.value(t, l.key); g != w {
			t.Errorf("%s: %s, want the default %s", l.key, g, w)
		}
	}
}
