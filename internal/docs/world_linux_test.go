package docs

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"orderq/internal/partner"
	"orderq/internal/redistest"
)

// blockTimeout is how long a block may take.
const blockTimeout = 15 * time.Second

// usual are the ports that documents name.
var usual = []string{"6379", "8080", "9181", "9182"}

// world is what a block finds: a folder, a Redis, and a port for each usual one.
type world struct {
	dir, path string
	ports     []string
}

// newWorld starts a Redis. PATH begins with the folder of the program, and a
// redis-cli that knows its server.
func newWorld(t *testing.T, config bool) *world {
	t.Helper()
	_, port, err := net.SplitHostPort(redistest.Start(t, "--appendonly", "yes").Addr())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{dir: t.TempDir(), ports: []string{port}}
	for range usual[1:] {
		_, port, _ := net.SplitHostPort(redistest.FreeAddress(t))
		w.ports = append(w.ports, port)
	}
	bin := t.TempDir()
	w.path = strings.Join([]string{bin, programs, os.Getenv("PATH")}, string(os.PathListSeparator))
	if cli, err := exec.LookPath("redis-cli"); err == nil {
		write(t, filepath.Join(bin, "redis-cli"), 0o755, "#!/bin/sh\nexec "+cli+" -p "+port+" \"$@\"\n")
	}
	if config {
		api := httptest.NewServer(partner.New(partner.Options{}))
		t.Cleanup(api.Close)
		write(t, filepath.Join(w.dir, "orderq.yaml"), 0o600, fmt.Sprintf(
			"redis: {addresses: [127.0.0.1:%s]}\nproducer: {listen: 127.0.0.1:%s, admin: 127.0.0.1:%s}\nconsumer: {admin: 127.0.0.1:%s, api: {url: %s/orders}}\n",
			w.ports[0], w.ports[1], w.ports[2], w.ports[3], api.URL))
	}
	return w
}

func write(t *testing.T, name string, mode os.FileMode, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// bash runs commands and gives all that they print, with the usual ports. What
// they leave in the background ends with the test.
func (w *world) bash(t *testing.T, script string) (string, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "printed")
	cmd := w.start(t, name, "bash", "-eu", "-o", "pipefail", "-c", swap(script, usual, w.ports))
	late := time.AfterFunc(blockTimeout, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	err := cmd.Wait()
	text, readErr := os.ReadFile(name)
	if readErr != nil {
		t.Fatal(readErr)
	}
	return swap(string(text), w.ports, usual), err
}

// start runs a program in the folder, which prints to a file: a pipe would stay
// open as long as something in the background has it.
func (w *world) start(t *testing.T, prints, program string, args ...string) *exec.Cmd {
	t.Helper()
	out, err := os.Create(prints)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.dir, out, out
	cmd.Env = append(clean(os.Environ()), "PATH="+w.path, "TZ=UTC", "LC_ALL=C.UTF-8", "USER=root")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	return cmd
}

// clean leaves out what would change what orderq does.
func clean(environment []string) (kept []string) {
	for _, v := range environment {
		if !strings.HasPrefix(v, "ORDERQ_") && !strings.HasPrefix(v, "REDIS_") {
			kept = append(kept, v)
		}
	}
	return kept
}

// swap puts other ports in the place of some.
func swap(text string, from, to []string) string {
	for i := range from {
		text = regexp.MustCompile(`\b`+from[i]+`\b`).ReplaceAllString(text, to[i])
	}
	return text
}

func (w *world) startProducer(t *testing.T) {
	t.Helper()
	w.service(t, "producer", w.ports[2])
}

// startConsumer starts one, and waits until Redis knows it too.
func (w *world) startConsumer(t *testing.T) {
	t.Helper()
	log := w.service(t, "consumer", w.ports[3])
	redistest.Eventually(t, "the consumer is registered", func() bool {
		text, err := os.ReadFile(log)
		return err == nil && strings.Contains(string(text), `"msg":"registered"`)
	})
}

// service starts a process that ends with the test, waits until it works, and
// gives the name of its log.
func (w *world) service(t *testing.T, role, admin string) string {
	t.Helper()
	log := filepath.Join(t.TempDir(), role+".log")
	cmd := w.start(t, log, filepath.Join(programs, "orderq"), role)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if text, err := os.ReadFile(log); err == nil && t.Failed() {
			t.Logf("log of orderq %s:\n%s", role, text)
		}
	})
	client := http.Client{Timeout: time.Second}
	redistest.Eventually(t, "orderq "+role+" is ready", func() bool {
		resp, err := client.Get("http://127.0.0.1:" + admin + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return log
}
