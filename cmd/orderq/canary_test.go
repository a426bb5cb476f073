package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"orderq/internal/redistest"
)

// TestCanary lets everything happen that an order and a secret can meet, at log
// level debug. Neither logs, metrics, problems nor commands may show what a
// customer wrote, or a secret; only who asks for a body sees it, and the
// partner's own words are for those who may cancel, and for show and dead show.
func TestCanary(t *testing.T) {
	t.Parallel()
	r := newCanaryRig(t)
	r.producer = runProgram(t, nil, "producer", "--config", r.path("orderq.yaml"))
	r.consumer = runProgram(t, nil, "consumer", "--config", r.path("orderq.yaml"), "--set", "log.file="+r.logFile)
	r.orders = r.producer.address(t, takesOrders)
	r.producer.line(t, connected)
	inFile(t, r.logFile, connected)

	r.refusals()
	r.deliveries()
	r.cancellation()
	r.credentials()
	r.reload()
	r.failures()
	r.look()
	r.scrape()
	r.withoutRedis()

	r.producer.terminate(t)
	r.consumer.terminate(t)
	r.outputs["the producer's log"] = r.producer.log.String()
	text, _ := os.ReadFile(r.logFile)
	r.outputs["the consumer's log"] = string(text)
	r.lines()
	r.search()
}

// refusals are orders that never come in.
func (r *canaryRig) refusals() {
	const submit, token = "POST", "shop-token"
	r.ask(401, submit, "/v1/orders", "wrong-token", customer("no-1"))
	r.ask(403, "DELETE", "/v1/orders/no-1", token, "")
	r.ask(404, "GET", "/v1/orders/no-1?q="+canary, "view-token", "")
	r.ask(404, "GET", "/"+canary, "view-token", "")
	r.ask(400, submit, "/v1/orders", token, `{"order_id":"no-1","note":"`+canary)
	r.ask(400, submit, "/v1/orders", token, canary)
	r.ask(400, submit, "/v1/orders", token, `{"`+canary+`":1,"`+canary+`":2}`)
	r.ask(413, submit, "/v1/orders", token, customer(strings.Repeat(canary, 20_000)))
	r.ask(415, submit, "/v1/orders", token, customer("no-1"), "Content-Type", "text/"+canary)
	r.ask(422, submit, "/v1/orders", token, fmt.Sprintf(`{"order_id":"%[1]s!","email":"%[1]s","amount":"%[1]s","currency":"%[1]s"}`, canary))
	r.ask(422, submit, "/v1/orders", token, `{}`, "Idempotency-Key", canary+"!", "X-Request-Id", canary+"!", "traceparent", canary)
	r.ask(200, submit, "/v1/orders:batch", token, customer("good-2")+"\n{"+canary+"\n"+`{"order_id":"`+canary+`!"}`+"\n",
		"Content-Type", "application/x-ndjson")
	r.ask(400, submit, "/v1/orders:batch", token, "["+customer("no-1")+","+canary)
}

// deliveries are orders that the partner is sent, and what it makes of them.
func (r *canaryRig) deliveries() {
	submit := func(want int, body string) string {
		r.t.Helper()
		return r.ask(want, "POST", "/v1/orders", "shop-token", body)
	}
	submit(202, customer("good-1"))
	if again := submit(202, customer("good-1")); !strings.Contains(again, `"duplicate":true`) {
		r.t.Errorf("no duplicate: %s", again)
	}
	submit(409, strings.Replace(customer("good-1"), "twice", "once", 1))
	submit(202, customer("bad-1"))
	sent := r.call("good-1")
	for name, want := range map[string]string{
		"Authorization": "Bearer " + canary + "-api-token", "X-Key": canary + "-header", "Webhook-Signature": "v1,",
	} {
		if !strings.HasPrefix(sent.Get(name), want) {
			r.t.Errorf("the partner got %s %q, want %q", name, sent.Get(name), want)
		}
	}
	redistest.Eventually(r.t, "bad-1 is dead", func() bool {
		return strings.Contains(r.ask(200, "GET", "/v1/orders/bad-1", "view-token", ""), `"dead"`)
	})
	if desk := r.ask(200, "GET", "/v1/orders/bad-1", "desk-token", ""); !strings.Contains(desk, canary) {
		r.t.Errorf("the partner's words are not there for who may cancel: %s", desk)
	}
}

// cancellation leaves the queue paused, with an order that waits.
func (r *canaryRig) cancellation() {
	r.orderq(false, exitOK, "pause", "--reason", "test")
	r.ask(202, "POST", "/v1/orders", "shop-token", customer("wait-1"))
	r.ask(202, "POST", "/v1/orders", "shop-token", customer("wait-2"))
	r.ask(200, "DELETE", "/v1/orders/wait-1", "desk-token", "")
	r.ask(200, "GET", "/v1/orders/wait-2", "view-token", "")
	r.ask(200, "GET", "/v1/queue", "view-token", "")
}

// credentials has the partner refuse our token, and take the next.
func (r *canaryRig) credentials() {
	r.mu.Lock()
	r.token = canary + "-next-api-token"
	r.mu.Unlock()
	r.orderq(false, exitOK, "resume")
	redistest.Eventually(r.t, "the queue pauses itself", func() bool {
		return strings.Contains(r.orderq(false, exitOK, "status", "-o", "json"), "credentials")
	})
	r.file("api", r.token)
	r.orderq(false, exitOK, "resume")
	redistest.Eventually(r.t, "wait-2 is delivered", func() bool {
		return strings.Contains(r.ask(200, "GET", "/v1/orders/wait-2", "view-token", ""), `"delivered"`)
	})
	if got := r.call("wait-2").Get("Authorization"); got != "Bearer "+r.token {
		r.t.Errorf("the partner got %q, want the token that was replaced", got)
	}
}

// reload gives the producer other tokens, and a file of them that is none.
func (r *canaryRig) reload() {
	r.file("tokens", "shop submit "+canary+"-shop-token-2\n")
	r.ask(202, "POST", "/v1/orders", "shop-token-2", customer("good-3"))
	r.ask(401, "POST", "/v1/orders", "shop-token", customer("no-1"))
	r.file("tokens", canary+"\n"+canary+" "+canary+" "+canary+"-shop-token\nshop submit "+canary+"\xff\n")
	r.ask(202, "POST", "/v1/orders", "shop-token-2", customer("good-4"))
	r.producer.line(r.t, "a watched file is no good; what it held before stays in use")
	r.file("hmac", "whsec_"+canary+"!")
	r.ask(202, "POST", "/v1/orders", "shop-token-2", customer("good-5"))
	r.call("good-5")
	inFile(r.t, r.logFile, "a watched file is no good; what it held before stays in use")
	r.orderq(false, exitConfig, "config", "check", "producer")
	r.orderq(false, exitConfig, "config", "check", "consumer")
	r.file("tokens", "shop submit "+canary+"-shop-token-2\n")
	r.file("hmac", signingKey)
}

// failures are orders that the partner never takes. They come last: others would
// wait for the breaker with them.
func (r *canaryRig) failures() {
	for _, id := range []string{"garbled-1", "fail-1"} {
		r.ask(202, "POST", "/v1/orders", "shop-token-2", customer(id))
		r.call(id)
	}
}

// scrape keeps the metrics of both.
func (r *canaryRig) scrape() {
	consumer := "http://" + inFile(r.t, r.logFile, servesMetrics)["address"].(string)
	for name, admin := range map[string]string{"producer": r.producer.address(r.t, servesMetrics), "consumer": consumer} {
		text := wantStatus(r.t, http.StatusOK, "GET", admin+"/metrics", "")
		if !strings.Contains(text, "orderq_log_messages_total") {
			r.t.Errorf("the metrics of the %s are none", name)
		}
		r.outputs["metrics of the "+name] = text
	}
}
