package campaign

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"orderq/streamutil"
)

// What becomes of an order in most rows: it is taken at once, or at the second try.
var (
	atOnce = fate{State: streamutil.Delivered, Attempts: 1, Outcome: streamutil.OutcomeDelivered, Status: 200}
	atLast = fate{State: streamutil.Delivered, Attempts: 2, Outcome: streamutil.OutcomeDelivered, Status: 200}
	second = map[string]fate{"A": atLast, "B": atOnce, "C": atOnce}
)

// takenWith is taken at once, with another status.
func takenWith(status int) fate {
	f := atOnce
	f.Status = status
	return f
}

func deadBy(o streamutil.Outcome, status int) fate {
	return fate{State: streamutil.Dead, Attempts: 1, Outcome: o, Status: status}
}

func parkedBy(o streamutil.Outcome, status int) *fate {
	return &fate{State: streamutil.Parked, Attempts: 1, Outcome: o, Status: status}
}

func answersThatDeliver() []outcomeTest {
	return []outcomeTest{
		{
			name: "takes it", answers: script{"A": {says(201)}, "B": {says(202)}, "C": {says(204)}}, calls: "A1 B1 C1",
			want:     map[string]fate{"A": takenWith(201), "B": takenWith(202), "C": takenWith(204)},
			outcomes: counts{"delivered": 3},
		},
		{
			name: "has it, by api.accept", settings: []string{"consumer.api.accept=409"}, answers: script{"A": {says(409)}},
			calls: "A1 B1 C1", want: map[string]fate{"A": takenWith(409), "B": atOnce, "C": atOnce}, outcomes: counts{"delivered": 3},
		},
		{
			name: "half an answer, and one without end", answers: script{"A": {half(201)}, "B": {half(500)}, "C": {endless(202)}, "D": {half(422)}},
			want: map[string]fate{
				"A": takenWith(201), "B": atLast, "C": takenWith(202), "D": deadBy(streamutil.OutcomeRejected, 422), "E": atOnce,
			},
			letters:  []letter{{"D", "rejected", 422, answerText[:len(answerText)/2], 1}},
			outcomes: counts{"delivered": 4, "failed": 1, "rejected": 1},
		},
	}
}

// answersThatHold keep the whole queue waiting for so long.
func answersThatHold() []outcomeTest {
	held := func(name string, hold time.Duration, answer reply, settings ...string) outcomeTest {
		return outcomeTest{
			name: name, settings: settings, answers: script{"A": {answer}},
			blocked: "hold", meanwhile: parkedBy(streamutil.OutcomeThrottled, answer().Status), hold: hold, holdMost: hold + 2*time.Second,
			calls: "A1 A2 B1 C1", want: second, outcomes: counts{"throttled": 1, "delivered": 3},
		}
	}
	return []outcomeTest{
		held("429, Retry-After in seconds", 2*time.Second, says(429, "Retry-After", "2")),
		held("429, Retry-After as a date", 2*time.Second, inDate(3*time.Second)), // a date knows no fractions
		held("429, Retry-After of 30 years", 2*time.Second, says(429, "Retry-After", "1000000000"), "consumer.max_hold=2s"),
		held("429, Retry-After that is garbage", time.Second, says(429, "Retry-After", "soon")),
		held("429, a negative Retry-After", time.Second, says(429, "Retry-After", "-60")),
		held("429, no Retry-After", time.Second, says(429)),
		held("503, Retry-After", 2*time.Second, says(503, "Retry-After", "2")),
	}
}

// answersThatFail leave the order for another attempt. Others get through
// between them, or the queue would wait.
func answersThatFail() []outcomeTest {
	away := parkedBy(streamutil.OutcomeUnavailable, 0)
	away.Attempts = 0
	return []outcomeTest{
		{
			name: "is not there: 502, 503, 504", answers: script{"A": {says(502)}, "C": {says(503)}, "E": {says(504)}},
			want:     map[string]fate{"A": atLast, "B": atOnce, "C": atLast, "D": atOnce, "E": atLast, "F": atOnce},
			outcomes: counts{"unavailable": 3, "delivered": 6},
		},
		{
			name: "no connection", blocked: "breaker", before: closePort, during: openPort,
			meanwhile: away, uncounted: true, want: second,
		},
		{
			name: "no such host", settings: []string{"consumer.api.url=http://partner.invalid/orders"}, blocked: "breaker", during: findHost,
			meanwhile: away, uncounted: true, want: second,
		},
		{
			name: "TLS error", blocked: "breaker", before: unknownAuthority, during: knownAuthority,
			meanwhile: away, uncounted: true, want: second,
		},
		{
			name:    "cannot, this time: 408, 409, 425, 500, 501",
			answers: script{"A": {says(408)}, "C": {says(409)}, "E": {says(425)}, "G": {says(500)}, "I": {says(501)}},
			want: map[string]fate{
				"A": atLast, "B": atOnce, "C": atLast, "D": atOnce, "E": atLast, "F": atOnce, "G": atLast, "H": atOnce, "I": atLast, "J": atOnce,
			},
			outcomes: counts{"failed": 5, "delivered": 10},
		},
	}
}

// noAnswers leave it open whether the partner has the order.
func noAnswers() []outcomeTest {
	retry := atLast
	retry.Strikes = 1 // its consumer died
	dead := deadBy(streamutil.OutcomeUncertain, 0)
	struck := dead
	struck.Strikes = 1
	return []outcomeTest{
		{
			name: "no answer: timeout, reset", answers: script{"A": {hangs}, "C": {drops}}, quiet: time.Second,
			want: map[string]fate{"A": atLast, "B": atOnce, "C": atLast, "D": atOnce}, outcomes: counts{"uncertain": 2, "delivered": 4},
		},
		{
			name: "no answer, on_uncertain dead", settings: []string{"consumer.on_uncertain=dead"},
			answers: script{"A": {hangs}, "C": {drops}}, calls: "A1 B1 C1 D1",
			want:    map[string]fate{"A": dead, "B": atOnce, "C": dead, "D": atOnce},
			letters: []letter{{"A", "uncertain", 0, "", 1}, {"C", "uncertain", 0, "", 1}}, outcomes: counts{"uncertain": 2, "delivered": 2},
		},
		{
			name: "its consumer dies during the call", consumers: 2, answers: script{"A": {hangs}}, during: killFirst,
			want: map[string]fate{"A": retry, "B": atOnce, "C": atOnce},
		},
		{
			name: "its consumer dies during the call, on_uncertain dead", consumers: 2, settings: []string{"consumer.on_uncertain=dead"},
			answers: script{"A": {hangs}}, during: killFirst,
			want: map[string]fate{"A": struck, "B": atOnce, "C": atOnce}, letters: []letter{{"A", "uncertain", 0, "", 1}},
		},
	}
}

// answersThatRefuse refuse us, or the order for good.
func answersThatRefuse() []outcomeTest {
	credentials := func(status int) outcomeTest {
		return outcomeTest{
			name: "refuses our credentials with " + strconv.Itoa(status), answers: script{"A": {says(status)}},
			blocked: "credentials", meanwhile: parkedBy(streamutil.OutcomeUnauthorized, status), during: newToken,
			calls: "A1 A2 B1 C1", want: second, outcomes: counts{"unauthorized": 1, "delivered": 3},
		}
	}
	rejected := func(name string, a, b, c int) outcomeTest {
		there := []string{"Location", "/elsewhere"} // a call that followed would be seen
		return outcomeTest{
			name: name, answers: script{"A": {says(a, there...)}, "B": {says(b, there...)}, "C": {says(c, there...)}}, calls: "A1 B1 C1 D1",
			want: map[string]fate{
				"A": deadBy(streamutil.OutcomeRejected, a), "B": deadBy(streamutil.OutcomeRejected, b),
				"C": deadBy(streamutil.OutcomeRejected, c), "D": atOnce,
			},
			letters:  []letter{{"A", "rejected", a, answerText, 1}, {"B", "rejected", b, answerText, 1}, {"C", "rejected", c, answerText, 1}},
			outcomes: counts{"rejected": 3, "delivered": 1},
		}
	}
	return []outcomeTest{
		credentials(401), credentials(403),
		rejected("sends us elsewhere: 300, 302, 307", 300, 302, 307),
		rejected("will never take it: 400, 404, 422", 400, 404, 422),
	}
}

// TestOutcomes has every kind of answer, and of no answer, given to real
// processes, and looks at all that must follow: the calls that come, what the
// queue and the metrics say meanwhile, and what is left at the end.
func TestOutcomes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	for _, tt := range slices.Concat(answersThatDeliver(), answersThatHold(), answersThatFail(), noAnswers(), answersThatRefuse()) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t)
		})
	}
}
