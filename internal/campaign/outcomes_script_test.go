package campaign

import (
	"io"
	"log"
	"net/http"
	"sync"
	"time"

	"orderq/internal/partner"
)

// reply makes an answer at the moment of the call.
type reply func() partner.Response

// script is what the calls for an order are answered, by its id; 200 after that.
type script map[string][]reply

// answerText is the body of every answer.
const answerText = `{"said":"by the partner"}`

// says answers with a status, and names and values of headers.
func says(status int, headers ...string) reply {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return func() partner.Response { return partner.Response{Status: status, Header: h, Body: answerText} }
}

func half(status int) reply {
	return func() partner.Response { return partner.Response{Status: status, Body: answerText, Cut: true} }
}

func endless(status int) reply {
	return func() partner.Response { return partner.Response{Status: status, Body: answerText, Endless: true} }
}

func hangs() partner.Response { return partner.Response{Hang: true} }
func drops() partner.Response { return partner.Response{Drop: true} }

// inDate asks for peace until a date.
func inDate(d time.Duration) reply {
	return func() partner.Response {
		return says(http.StatusTooManyRequests, "Retry-After", time.Now().Add(d).UTC().Format(http.TimeFormat))()
	}
}

// respond plays a script.
func (s script) respond() func(partner.Call) partner.Response {
	var mu sync.Mutex
	made := map[string]int{}
	return func(c partner.Call) partner.Response {
		mu.Lock()
		n := made[c.OrderID]
		made[c.OrderID]++
		mu.Unlock()
		if n < len(s[c.OrderID]) {
			return s[c.OrderID][n]()
		}
		return partner.Response{Body: answerText}
	}
}

// quiet keeps the errors of a server's clients to itself.
var quiet = log.New(io.Discard, "", 0)
