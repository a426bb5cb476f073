package producer

import (
	"regexp"
	"testing"
)

// The forms are those of these expressions.
var forms = []struct {
	name string
	has  func(string) bool
	want *regexp.Regexp
}{
	{"order id", isOrderID, regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]*$`)},
	{"phone", isPhone, regexp.MustCompile(`^[0-9 +().#-]*$`)},
	{"decimal", isDecimal, regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)},
}

func FuzzForms(f *testing.F) {
	for _, s := range []string{
		"", "-", ".", "1.", ".5", "-1", "+1", "00.10", "1e5", "1E+05", "1e", "1e-", "1.5e1.5", "--1", "1 ", "1\n", "a", "A.b_c:d-9", "-a", "[", "@", "`", "{", "é",
		"+(0)2-1234.5678 #90", "0x1", "1_000", "\x00", "\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, form := range forms {
			if got, want := form.has(s), form.want.MatchString(s); got != want {
				t.Errorf("%s %q: got %v, want %v", form.name, s, got, want)
			}
		}
	})
}
