package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLegacyNamesCountWhereAddressesAreSetNowhere(t *testing.T) {
	dotenv := func(text string) map[string]string { return map[string]string{".env": text} }
	for _, tt := range []struct {
		name                    string
		in                      setting
		address, password, from string
	}{
		{"none", setting{}, "127.0.0.1:6379", "", "default"},
		{
			"all in the environment",
			setting{environ: []string{"REDIS_HOST=redis", "REDIS_PORT=6380", "REDIS_PASSWORD=p"}},
			"redis:6380", "p", "env REDIS_HOST, REDIS_PORT",
		},
		{"host alone", setting{environ: []string{"REDIS_HOST=redis"}}, "redis:6379", "", "env REDIS_HOST"},
		{"port alone", setting{environ: []string{"REDIS_PORT=7000"}}, "127.0.0.1:7000", "", "env REDIS_PORT"},
		{"password alone", setting{environ: []string{"REDIS_PASSWORD=p"}}, "127.0.0.1:6379", "p", "default"},
		{"IPv6 host", setting{environ: []string{"REDIS_HOST=::1"}}, "[::1]:6379", "", "env REDIS_HOST"},
		{"port of a Docker link", setting{environ: []string{"REDIS_HOST=redis", "REDIS_PORT=tcp://172.17.0.2:6379"}}, "redis:6379", "", "env REDIS_HOST"},
		{"only a Docker link", setting{environ: []string{"REDIS_PORT=tcp://172.17.0.2:6379"}}, "127.0.0.1:6379", "", "default"},
		{"Docker link hides no port of dotenv", setting{files: dotenv("REDIS_PORT=7000"), environ: []string{"REDIS_PORT=tcp://172.17.0.2:6379"}}, "127.0.0.1:7000", "", ".env REDIS_PORT"},
		{"dotenv", setting{files: dotenv("REDIS_HOST=redis\nREDIS_PORT=6380\nREDIS_PASSWORD='p#$'\n")}, "redis:6380", "p#$", ".env REDIS_HOST, REDIS_PORT"},
		{
			"environment over dotenv, each by itself",
			setting{files: dotenv("REDIS_HOST=old\nREDIS_PORT=6380\nREDIS_PASSWORD=old\n"), environ: []string{"REDIS_HOST=new"}},
			"new:6380", "old", "env REDIS_HOST",
		},
		{"empty names", setting{environ: []string{"REDIS_HOST=", "REDIS_PORT=", "REDIS_PASSWORD="}}, "127.0.0.1:6379", "", "default"},
		{
			"addresses in the file",
			setting{files: map[string]string{"orderq.yaml": "redis: {addresses: ['a:1']}"}, environ: []string{"REDIS_HOST=redis", "REDIS_PASSWORD=p"}},
			"a:1", "", "file orderq.yaml",
		},
		{
			"addresses in dotenv",
			setting{files: dotenv("ORDERQ_REDIS__ADDRESSES=a:1\nREDIS_HOST=redis"), environ: []string{"REDIS_PORT=7"}},
			"a:1", "", ".env",
		},
		{
			"addresses in the environment",
			setting{environ: []string{"ORDERQ_REDIS__ADDRESSES=a:1", "REDIS_HOST=redis", "REDIS_PASSWORD=p"}},
			"a:1", "", "env ORDERQ_REDIS__ADDRESSES",
		},
		{
			"addresses by flag",
			setting{set: []string{"redis.addresses=a:1"}, environ: []string{"REDIS_PASSWORD=p"}},
			"a:1", "", "flag --set",
		},
		{
			"new password wins in one layer",
			setting{environ: []string{"REDIS_HOST=redis", "REDIS_PASSWORD=old", "ORDERQ_REDIS__PASSWORD=new"}},
			"redis:6379", "new", "env REDIS_HOST",
		},
		{
			"layers win over names",
			setting{files: map[string]string{"orderq.yaml": "redis: {password: file}"}, environ: []string{"REDIS_PASSWORD=env"}},
			"127.0.0.1:6379", "env", "default",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.in.mustLoad(t)
			if diff := cmp.Diff([]string{tt.address}, c.Redis.Addresses); diff != "" {
				t.Errorf("redis.addresses (-want +got):\n%s", diff)
			}
			if got := c.RedisPassword.Reveal(); got != tt.password {
				t.Errorf("password = %q, want %q", got, tt.password)
			}
			if got := c.origin("redis.addresses").label; got != tt.from {
				t.Errorf("origin = %q, want %q", got, tt.from)
			}
		})
	}
}

func TestLegacyNamesThatDoNotCountAreNoted(t *testing.T) {
	c := setting{
		files:   map[string]string{"orderq.yaml": "redis: {addresses: ['a:1']}", ".env": "\nREDIS_HOST=redis\n"},
		environ: []string{"REDIS_PASSWORD=p"},
	}.mustLoad(t)
	want := []string{
		".env:2: REDIS_HOST does not count: redis.addresses is set (orderq.yaml:1)",
		"REDIS_PASSWORD does not count: redis.addresses is set (orderq.yaml:1)",
	}
	if diff := cmp.Diff(want, c.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestBadLegacyValues(t *testing.T) {
	_, err := setting{environ: []string{"REDIS_HOST=redis:6379"}}.load(t)
	wantProblems(t, err, `REDIS_HOST: redis.addresses: "[redis:6379]:6379": want HOST:PORT, such as 127.0.0.1:6379`)
	_, err = setting{environ: []string{"REDIS_PORT=many"}}.load(t)
	wantProblems(t, err, `REDIS_PORT: redis.addresses: "127.0.0.1:many": want HOST:PORT, such as 127.0.0.1:6379`)
}
