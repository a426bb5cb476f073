package main

import (
	"strings"

	"orderq/internal/redistest"
)

// look runs what operators look with. Bodies are there for who asks for them.
func (r *canaryRig) look() {
	for _, output := range []string{"table", "json"} {
		for _, command := range []string{
			"status", "list", "list --state dead", "list --state delivered", "show wait-1", "pending", "consumers",
			"dead list", "dead list --group-by error", "tail --limit 1000", "config print", "config print --set redis.password_file= --set redis.password=" + canary,
		} {
			r.orderq(false, exitOK, append(strings.Fields(command), "-o", output)...)
		}
		r.orderq(false, exitFailed, "check", "-o", output, "--crit-oldest", "0", "--warn-oldest", "0")
		r.orderq(false, exitOK, "doctor", "-o", output)
		for _, command := range []string{"show bad-1", "show good-1", "dead show bad-1"} {
			if out := r.orderq(true, exitOK, append(strings.Fields(command), "-o", output)...); !strings.Contains(out, canary) {
				r.t.Errorf("%s does not have the partner's words:\n%s", command, out)
			}
		}
	}
	for _, command := range []string{"list --body -o json", "show fail-1 --body", "dead show bad-1 --body"} {
		if out := r.orderq(true, exitOK, strings.Fields(command)...); !strings.Contains(out, canary+"@example.com") {
			r.t.Errorf("%s does not show the body: the canaries are not where they should be:\n%s", command, out)
		}
	}
}

// withoutRedis is Redis that hangs, one that refuses our password, and one that
// is gone.
func (r *canaryRig) withoutRedis() {
	const submit, token = "POST", "shop-token-2"
	r.redis.Stop()
	r.ask(503, submit, "/v1/orders", token, customer("no-2"))
	r.redis.Continue()
	redistest.Eventually(r.t, "Redis is back", func() bool {
		return strings.Contains(r.orderq(false, exitOK, "status", "-o", "json"), `"state"`)
	})
	r.file("redis", canary+"-wrong-password")
	r.orderq(false, exitFailed, "status")
	r.orderq(false, exitFailed, "doctor")
	other := runProgram(r.t, nil, "producer", "--config", r.path("orderq.yaml"), "--set", "log.level=debug", "--set", "producer.tokens_file=")
	at := r.orders
	r.orders = other.address(r.t, takesOrders)
	other.line(r.t, "Redis cannot be used; trying again until it can")
	r.ask(503, submit, "/v1/orders", token, customer("no-2"))
	other.terminate(r.t)
	r.outputs["the log of a producer with a wrong password"] = other.log.String()
	r.orders = at
	r.redis.Kill()
	r.ask(503, submit, "/v1/orders", token, customer("no-2"))
	r.ask(503, submit, "/v1/orders:batch", token, "["+customer("no-2")+"]")
	r.orderq(false, exitFailed, "list")
}

// lines wants the log lines that could have told a canary: else nothing was tried.
func (r *canaryRig) lines() {
	r.t.Helper()
	for log, messages := range map[string][]string{
		"the producer's log": {"order accepted", "batch taken", "request failed: unavailable"},
		"the consumer's log": {
			"order delivered", "order parked for another attempt", "order is dead; a person must look at it",
			"a watched file was replaced; what it holds is in use from now on",
		},
	} {
		for _, message := range messages {
			if !strings.Contains(r.outputs[log], `"msg":"`+message+`"`) {
				r.t.Errorf("%s has no line %q", log, message)
			}
		}
	}
}
