package monitoring

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	heading = regexp.MustCompile(`(?m)^## (.*)$`)
	link    = regexp.MustCompile(`\]\(([^):]+\.md)\)`)
	command = regexp.MustCompile("[`\"](orderq [^`\"]+)")
	flag    = regexp.MustCompile(`--[a-z-]+`)
	word    = regexp.MustCompile(`^[a-z]+$`)
	listed  = regexp.MustCompile(`(?m)^  ([a-z]+) `)
)

func TestRunbooksHaveTheirParts(t *testing.T) {
	want := []string{"Meaning", "Impact", "Diagnosis", "Mending"}
	for page, text := range runbooks(t) {
		if !strings.HasPrefix(text, "# "+page+"\n") {
			t.Errorf("%s does not begin with its name", page)
		}
		var got []string
		for _, h := range heading.FindAllStringSubmatch(text, -1) {
			got = append(got, h[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has the headings %q, want %q", page, got, want)
		}
	}
}

func TestRunbookLinks(t *testing.T) {
	pages := runbooks(t)
	index := read(t, filepath.Join(runbooksDir, "README.md"))
	for page := range pages {
		if !strings.Contains(index, "\n| ["+page+"]("+page+".md) |") {
			t.Errorf("README.md does not list %s", page)
		}
	}
	pages["README"] = index
	for page, text := range pages {
		for _, l := range link.FindAllStringSubmatch(text, -1) {
			read(t, filepath.Join(runbooksDir, l[1]))
		}
		if !strings.HasSuffix(text, "\n") {
			t.Errorf("%s does not end with a line", page)
		}
	}
}

func TestEveryReasonHasItsAlert(t *testing.T) {
	_, alerts := rules(t)
	index := read(t, filepath.Join(runbooksDir, "README.md"))
	for _, reason := range exported(t)["orderq_stream_blocked"]["reason"] {
		row := regexp.MustCompile("(?m)^\\| `" + reason + "` \\|.*$").FindString(index)
		named := slices.ContainsFunc(alerts, func(a rule) bool { return strings.Contains(row, "["+a.Alert+"]") })
		if !named {
			t.Errorf("README.md names no alert for %s", reason)
		}
	}
}

func TestCommandsExist(t *testing.T) {
	help := helper(t)
	texts := runbooks(t)
	texts["README"] = read(t, filepath.Join(runbooksDir, "README.md"))
	_, alerts := rules(t)
	for _, a := range alerts {
		texts["description of "+a.Alert] = a.Annotations["description"]
	}
	found := 0
	for where, text := range texts {
		for _, c := range command.FindAllStringSubmatch(text, -1) {
			found++
			if wrong := wrongCommand(c[1], help); wrong != "" {
				t.Errorf("%s: %s: %s", where, c[1], wrong)
			}
		}
	}
	if found < len(alerts) {
		t.Errorf("only %d commands were found", found)
	}
	for _, wrong := range []string{"orderq frob", "orderq dead frob ID", "orderq status --frob"} {
		if wrongCommand(wrong, help) == "" {
			t.Errorf("%s was taken for a command", wrong)
		}
	}
}

// wrongCommand says what is wrong with a quoted command line, given a way to ask
// for the help of a command.
func wrongCommand(line string, help func(words ...string) string) string {
	line, _, _ = strings.Cut(line, " | ")
	var words []string
	for _, w := range strings.Fields(line)[1:] {
		text := help(words...)
		_, commands, more := strings.Cut(text, "Available Commands:")
		if !more || !word.MatchString(w) {
			break
		}
		commands, _, _ = strings.Cut(commands, "\n\n")
		known := slices.ContainsFunc(listed.FindAllStringSubmatch(commands, -1), func(m []string) bool { return m[1] == w })
		if !known {
			return "no command " + w
		}
		words = append(words, w)
	}
	text := help(words...)
	for _, f := range flag.FindAllString(line, -1) {
		if !strings.Contains(text, f+" ") {
			return "no flag " + f
		}
	}
	return ""
}

// program builds orderq once and gives its path.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "orderq")
	out, err := exec.Command("go", "build", "-o", path, "orderq/cmd/orderq").CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return path, nil
})

// helper asks the program itself for the help of a command, once for each.
func helper(t *testing.T) func(words ...string) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatalf("build orderq: %v\n%s", err, path)
	}
	said := map[string]string{}
	return func(words ...string) string {
		t.Helper()
		key := strings.Join(words, " ")
		if said[key] == "" {
			out, err := exec.CommandContext(t.Context(), path, append(words, "--help")...).CombinedOutput()
			if err != nil {
				t.Fatalf("orderq %s --help: %v\n%s", key, err, out)
			}
			said[key] = string(out)
		}
		return said[key]
	}
}
