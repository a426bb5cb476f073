package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestSecretIsNeverShown(t *testing.T) {
	const canary = "c4nary"
	var out bytes.Buffer
	s := Secret(canary)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&out, verb+" "+verb+"\n", s, struct{ S Secret }{s})
	}
	if err := json.NewEncoder(&out).Encode(map[string]any{"s": s, "c": RedisConfig{Password: s}}); err != nil {
		t.Fatal(err)
	}
	log := zap.New(zapcore.NewCore(jsonEncoder(), zapcore.AddSync(&out), zap.DebugLevel))
	log.Info("x", zap.Any("s", s), zap.Reflect("r", s), zap.Stringer("t", s), zap.Any("c", RedisConfig{Password: s}))

	c := setting{
		files:   map[string]string{"pass": canary, "orderq.yaml": "consumer: {api: {headers: {Authorization: " + canary + "}, url: 'https://a/?k=" + canary + "'}}"},
		environ: []string{"ORDERQ_CONSUMER__API__TOKEN_FILE=pass", "REDIS_PASSWORD=" + canary},
	}.mustLoad(t)
	if err := c.print(&out); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%v %+v\n", c.RedisPassword, c.apiToken.current())
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Errorf("the secret shows in:\n%s", out.String())
	}
	if s.Reveal() != canary || !strings.Contains(out.String(), hidden) {
		t.Errorf("Reveal = %q; output:\n%s", s.Reveal(), out.String())
	}
}

func TestDotenvGrammar(t *testing.T) {
	for line, want := range map[string]string{
		`REDIS_PASSWORD=plain`:               `plain`,
		`  export REDIS_PASSWORD = spaced  `: `spaced`,
		`REDIS_PASSWORD=a#b$c\d`:             `a#b$c\d`,
		`REDIS_PASSWORD=a b # comment`:       `a b`,
		"REDIS_PASSWORD=a\t# comment":        `a`,
		`REDIS_PASSWORD=`:                    ``,
		`REDIS_PASSWORD= # comment`:          ``,
		`REDIS_PASSWORD='a # ${b} \n "c"'`:   `a # ${b} \n "c"`,
		`REDIS_PASSWORD='a' # comment`:       `a`,
		`REDIS_PASSWORD="a # b \"c\" \\ \$"`: `a # b "c" \ $`,
		`REDIS_PASSWORD="tab\tline\nodd\q$"`: "tab\tline\nodd\\q$",
		`REDIS_PASSWORD="a" # comment`:       `a`,
		`REDIS_PASSWORD=a=b`:                 `a=b`,
		"REDIS_PASSWORD=windows\r":           `windows`,
		"\ufeffREDIS_PASSWORD=bom":           `bom`,
	} {
		t.Run(line, func(t *testing.T) {
			got := parseDotenv(line, func(_ int, name, text string) { t.Errorf("%s: %s", name, text) })
			if len(got) != 1 || got[0].value != want || got[0].name != "REDIS_PASSWORD" {
				t.Errorf("got %+v, want %q", got, want)
			}
		})
	}
}

func TestDotenvErrorsRepeatNoValue(t *testing.T) {
	for line, want := range map[string]string{
		`REDIS_PASSWORD="c4nary`:     "the quote is not closed on this line",
		`REDIS_PASSWORD='c4nary`:     "the quote is not closed on this line",
		`REDIS_PASSWORD="c4nary\`:    "the quote is not closed on this line",
		`REDIS_PASSWORD='a' c4nary`:  "text after the closing quote",
		`REDIS_PASSWORD="a" c4nary`:  "text after the closing quote",
		`REDIS_PASSWORD=${c4nary}`:   "references such as ${NAME} are not expanded; write the value out, or put it in single quotes",
		`REDIS_PASSWORD="${c4nary}"`: "references such as ${NAME} are not expanded; write the value out, or put it in single quotes",
		`ORDERQ_X: c4nary`:           "want NAME=VALUE",
	} {
		t.Run(line, func(t *testing.T) {
			var got []string
			if found := parseDotenv(line, func(_ int, _, text string) { got = append(got, text) }); len(found) != 0 {
				t.Errorf("found %+v", found)
			}
			if len(got) != 1 || got[0] != want {
				t.Errorf("problems = %q, want %q", got, want)
			}
		})
	}
}

func TestEditDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"queue", "quene", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 2}} {
		if got := editDistance(tt.a, tt.b); got != tt.want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// FuzzFile looks for a file that makes load panic; problems are fine.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"", "queue: {name: a}", "queue:\n  <<: *x", "? {a: b}\n: c", "redis: &a [*a]", "- 1", "queue: !x {", "a.b.c: 1",
		"consumer: {api: {headers: {'': ''}}}", "redis: {addresses: [~]}", "queue.: 1", ".: 1", "redis.sentinel: {master: m}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		c := defaultConfig()
		s := newSchema(&c)
		p := &yamlParser{name: "f", schema: s, problems: &problems{}}
		if _, err := p.Unmarshal([]byte(text)); err != nil {
			return
		}
		for key := range p.flat {
			for _, l := range s.leaves {
				if l.key == key {
					_ = l.set(p.flat[key])
				}
			}
		}
	})
}
