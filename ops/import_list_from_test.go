package ops_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestImportListUsage(t *testing.T) {
	l := newOldList(t)
	file := filepath.Join(t.TempDir(), "password")
	for _, tt := range []struct{ flags, says string }{
		{"", "want the list's key"},
		{"a b", "want the list's key"},
		{"k --end left", "want head"},
		{"k --rate -1", "--rate -1"},
		{"k --give-up-after -1s", "below zero"},
		{"k --field id", "order_id=NAME"},
		{"k --field order_id=", "order_id=NAME"},
		{"k --from-password-file x", "for --from"},
		{"k --from redis://:pw@h --from-password-file " + file, "one of them"},
		{"k --from 127.0.0.1:6379", "want redis://"},
		{"k --from redis://", "want redis://"},
		{"k --from http://h", "want redis://"},
		{"k --from redis://h:0", "want redis://"},
		{"k --from redis://h/x", "want redis://"},
		{"k --from redis://h/-1", "want redis://"},
		{"k --from redis://h?db=1", "want redis://"},
	} {
		l.check(typed{line: "import-list --yes " + tt.flags, code: 2, err: []string{tt.says}})
	}
	l.check(typed{line: "import-list --yes k --from redis://h --from-password-file " + file, code: 1, err: []string{"read the password"}})
	for _, text := range []string{"", "\n", "two\nlines\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l.check(typed{line: "import-list --yes k --from redis://h --from-password-file " + file, code: 1, err: []string{"read the password"}})
	}
}

// Whatever is wrong with an address, no part of its password is said.
func TestImportListKeepsThePassword(t *testing.T) {
	f := newFar(t, ordersNamed("A")...)
	f.srv.CLI("CONFIG", "SET", "requirepass", "s3cr/et")
	addr := f.srv.Addr()
	for _, from := range []string{
		"redis://:s3cr/et@" + addr, "redis://:s3cr#et@" + addr, "redis://:s3cr?et@" + addr, "redis://u:s3cr%zz@" + addr,
		"redis://:s3cr@" + addr, "redis://s3cr:s3cr@" + addr, "redis:s3cr@" + addr, "redis://:s3cr@127.0.0.1:1", "redis://:s3cr@no.such.host",
		"redis://:s3cr@[::1", "redis://:s3cr%40et@" + addr + "/77777",
	} {
		out, errs, err := f.run("import-list", f.key, "--yes", "--from", from)
		if err == nil || strings.Contains(out+errs+err.Error(), "s3cr") {
			t.Errorf("--from %s: %v\n%s%s", from, err, out, errs)
		}
	}
	_, _, err := f.run("import-list", f.key, "--yes", "--from", "redis://"+addr)
	f.says(err, addr, "refuses us", "NOAUTH", "--from")
	_, _, err = f.run("import-list", f.key, "--yes", "--from", "redis://:s3cr@"+addr)
	f.says(err, addr, "refuses us", "--from")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("s3cr/et\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.check(typed{line: "import-list --yes --from redis://" + addr + " --from-password-file " + file + " " + f.key, out: []string{"enqueued\t1"}, err: []string{addr}})
	f.check(typed{line: "import-list --yes --from redis://:s3cr%2Fet@" + addr + "/0 " + f.key, out: []string{"read\t0"}, err: []string{"no list"}})
}

// ancient stands before a Redis and knows the commands of 3.2 alone, of those that
// the client may send.
type ancient struct {
	net.Listener
	target string
}

func newAncient(t *testing.T, target string) *ancient {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &ancient{l, target}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go a.serve(client)
		}
	}()
	return a
}

func (a *ancient) serve(client net.Conn) {
	known := strings.Fields("AUTH SELECT PING INFO EVAL EVALSHA CLIENT-SETNAME CLIENT-LIST")
	defer client.Close()
	redis, err := net.Dial("tcp", a.target)
	if err != nil {
		return
	}
	defer redis.Close()
	from, answers := bufio.NewReader(client), bufio.NewReader(redis)
	for {
		words, raw, err := request(from)
		if err != nil {
			return
		}
		if !slices.Contains(known, words) {
			fmt.Fprintf(client, "-ERR unknown command '%s'\r\n", strings.TrimPrefix(words, "CLIENT-"))
			continue
		}
		if _, err := io.WriteString(redis, raw); err != nil {
			return
		}
		if err := passOn(answers, client); err != nil {
			return
		}
	}
}

// request reads a command: its name, of CLIENT with the word behind it, and all of it.
func request(r *bufio.Reader) (name, raw string, err error) {
	head, err := r.ReadString('\n')
	if err != nil {
		return "", "", err
	}
	count, _ := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(head, "*")))
	raw = head
	for i := range count {
		size, err := r.ReadString('\n')
		if err != nil {
			return "", "", err
		}
		n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(size, "$")))
		word := make([]byte, n+2)
		if _, err := io.ReadFull(r, word); err != nil {
			return "", "", err
		}
		raw += size + string(word)
		if i == 0 || (i == 1 && name == "CLIENT") {
			name = strings.TrimPrefix(name+"-"+strings.ToUpper(string(word[:n])), "-")
		}
	}
	return name, raw, nil
}

// passOn copies one reply of the older protocol; of a newer one it knows nothing.
func passOn(from *bufio.Reader, to io.Writer) error {
	line, err := from.ReadString('\n')
	if err != nil {
		return err
	}
	if _, err := io.WriteString(to, line); err != nil {
		return err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch line[0] {
	case '+', '-', ':':
	case '$':
		if n >= 0 {
			_, err = io.CopyN(to, from, int64(n)+2)
		}
	case '*':
		for i := 0; i < n && err == nil; i++ {
			err = passOn(from, to)
		}
	default:
		err = fmt.Errorf("%q is nothing that an old client knows", line)
	}
	return err
}

func TestImportListFromAnOldServer(t *testing.T) {
	f := newFar(t)
	var ids []string
	for i := range 300 {
		ids = append(ids, fmt.Sprint("O-", i))
	}
	f.srv.CLI("SELECT", "0")
	f.push(ordersNamed(ids...)...)
	a := newAncient(t, f.srv.Addr())
	out, _, err := f.importsFrom(t.Context(), a.Addr().String())
	if err != nil || !strings.Contains(out, "enqueued\t300") || f.waiting() != strings.Join(ids, " ") {
		t.Fatalf("%v\n%s", err, out)
	}
	f.holds("300")
	f.push(ordersNamed("late")...)
	f.srv.CLI("MOVE", f.key, "3")
	f.srv.CLI("CONFIG", "SET", "requirepass", "s3cret")
	out, _, err = f.importsFrom(t.Context(), ":s3cret@"+a.Addr().String()+"/3")
	if err != nil || !strings.Contains(out, "enqueued\t1") {
		t.Errorf("with a password and a database: %v\n%s", err, out)
	}
}

// The rights that docs/import.md names are enough.
func TestImportListWithFewRights(t *testing.T) {
	f := newFar(t, ordersNamed("A", "B")...)
	doc, err := os.ReadFile("../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rights, _ := strings.Cut(string(doc), "The user needs ")
	rights, _, ok := strings.Cut(rights, " on the list")
	if !ok {
		t.Fatal("docs/import.md does not name the rights")
	}
	words := []string{"ACL", "SETUSER", "mover", "on", ">s3cret", "~" + f.key, "~" + f.counter()}
	for _, name := range strings.FieldsFunc(rights, func(r rune) bool { return r != '|' && (r < 'A' || r > 'Z') }) {
		words = append(words, "+"+name)
	}
	f.srv.CLI(words...)
	out, errs, err := f.importsFrom(t.Context(), "mover:s3cret@"+f.srv.Addr())
	if err != nil || !strings.Contains(out, "enqueued\t2") {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
}
