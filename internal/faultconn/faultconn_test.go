package faultconn_test

import (
	"bufio"
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"orderq/internal/faultconn"
	"orderq/internal/redistest"
)

func TestMain(m *testing.M) {
	code := redistest.Run(m)
	if err := goleak.Find(); code == 0 && err != nil {
		println(err.Error())
		code = 1
	}
	os.Exit(code)
}

// setup gives a proxy before the shared Redis, a client that goes through it
// and never repeats a command by itself, and a key of the test's own.
func setup(t *testing.T) (*faultconn.Proxy, rueidis.Client, *redistest.Server, string) {
	t.Helper()
	redis := redistest.Shared(t)
	proxy := faultconn.Listen(t, redis.Addr())
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{proxy.Addr()}, DisableCache: true, DisableRetry: true,
		ConnWriteTimeout: 5 * time.Second, PipelineMultiplex: -1, // one connection for all
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return proxy, client, redis, redistest.QueueName(t)
}

func incr(t *testing.T, c rueidis.Client, key string) error {
	return c.Do(t.Context(), c.B().Incr().Key(key).Build()).Error()
}

func wait(t *testing.T, struck <-chan struct{}) {
	t.Helper()
	select {
	case <-struck:
	case <-time.After(5 * time.Second):
		t.Fatal("the fault never struck")
	}
}

func TestEatReply(t *testing.T) {
	proxy, client, redis, key := setup(t)
	struck := proxy.EatReply(faultconn.WithArg(key))
	if err := incr(t, client, key); err == nil {
		t.Error("the reply came through")
	}
	wait(t, struck)
	if got := redis.CLI("GET", key); got != "1" {
		t.Errorf("Redis has %q: the command did not arrive", got)
	}
	if err := incr(t, client, key); err != nil {
		t.Errorf("the fault struck twice: %v", err)
	}
	if got := redis.CLI("GET", key); got != "2" {
		t.Errorf("Redis has %q", got)
	}
}

func TestEatReplyInAPipeline(t *testing.T) {
	proxy, client, redis, key := setup(t)
	struck := proxy.EatReply(faultconn.Command("append"))
	replies := client.DoMulti(t.Context(),
		client.B().Set().Key(key).Value("a").Build(),
		client.B().Append().Key(key).Value("b").Build(),
		client.B().Append().Key(key).Value("c").Build())
	if err := replies[0].Error(); err != nil {
		t.Errorf("the reply before was lost: %v", err)
	}
	for i, r := range replies[1:] {
		if r.Error() == nil {
			t.Errorf("reply %d came through", i+1)
		}
	}
	wait(t, struck)
	// The command behind it may have been under way still when the cut came.
	if got := redis.CLI("GET", key); got != "ab" && got != "abc" {
		t.Errorf("Redis has %q", got)
	}
}

func TestCutBefore(t *testing.T) {
	proxy, client, redis, key := setup(t)
	struck := proxy.CutBefore(faultconn.Command("INCR"))
	if err := incr(t, client, key); err == nil {
		t.Error("the reply came through")
	}
	wait(t, struck)
	if got := redis.CLI("EXISTS", key); got != "0" {
		t.Error("the command reached Redis")
	}
	if err := incr(t, client, key); err != nil {
		t.Errorf("the fault struck twice: %v", err)
	}
}

func TestEveryTypeOfReplyPasses(t *testing.T) {
	proxy, client, _, key := setup(t)
	before := proxy.Passed()
	script := `redis.setresp(3); return {1, 'two', false, true, {double=3.5}, {map={a=1}}, {set={b=true}}, {big_number='12'}}`
	m, err := client.Do(t.Context(), client.B().Eval().Script(script).Numkeys(0).Build()).ToArray()
	if err != nil || len(m) != 8 {
		t.Errorf("got %v, %v", m, err)
	}
	fields, err := client.Do(t.Context(), client.B().Hgetall().Key(key).Build()).AsStrMap()
	if err != nil || len(fields) != 0 {
		t.Errorf("got %v, %v", fields, err)
	}
	if err := incr(t, client, key); err != nil { // a reply too many or too few would show here
		t.Error(err)
	}
	if got := proxy.Passed() - before; got != 3 {
		t.Errorf("counted %d commands, sent 3", got)
	}
}

func TestCut(t *testing.T) {
	proxy, client, redis, key := setup(t)
	blocked := make(chan error, 1)
	go func() {
		blocked <- client.Do(context.Background(), client.B().Blpop().Key(key).Timeout(5).Build()).Error()
	}()
	redistest.Eventually(t, "the command blocks", func() bool {
		return strings.Contains(redis.CLI("CLIENT", "LIST"), "cmd=blpop")
	})
	proxy.Cut()
	if err := <-blocked; err == nil || rueidis.IsRedisNil(err) {
		t.Errorf("got %v, want an error of the connection", err)
	}
}

func TestRefuse(t *testing.T) {
	proxy, client, _, key := setup(t)
	proxy.Refuse(true)
	if err := incr(t, client, key); err != nil {
		t.Errorf("a present connection was refused: %v", err)
	}
	proxy.Cut()
	redistest.Eventually(t, "new connections fail", func() bool { return incr(t, client, key) != nil })
	proxy.Refuse(false)
	redistest.Eventually(t, "connections are taken again", func() bool { return incr(t, client, key) == nil })
}

func TestDelayIsSideBySide(t *testing.T) {
	proxy, client, _, key := setup(t)
	const delay = 200 * time.Millisecond
	proxy.Delay(delay)
	start := time.Now()
	var cmds rueidis.Commands
	for range 20 {
		cmds = append(cmds, client.B().Incr().Key(key).Build())
	}
	for _, r := range client.DoMulti(t.Context(), cmds...) {
		if err := r.Error(); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took < delay || took > 10*delay {
		t.Errorf("20 commands in a pipeline took %v", took)
	}
	proxy.Delay(0)
}

func TestGarbageIsCut(t *testing.T) {
	proxy, _, _, _ := setup(t)
	conn, err := net.Dial("tcp", proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err == nil {
		t.Errorf("got %q", strings.TrimSpace(line))
	}
}
