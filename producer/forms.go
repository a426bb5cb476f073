package producer

import "strings"

// What follows could be regular expressions; every order passes here, and they
// took a fifth of the time of its check.

func isAlphanumeric(c byte) bool { return isDigit(c) || ('a' <= c|0x20 && c|0x20 <= 'z') }

// isOrderID reports whether s is of A-Z a-z 0-9 . _ : - and begins with a letter or
// digit.
func isOrderID(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && (i == 0 || strings.IndexByte("._:-", s[i]) < 0) {
			return false
		}
	}
	return s != ""
}

// isPhone reports whether s is of digits, space and + - ( ) # .
func isPhone(s string) bool { return strings.Trim(s, "0123456789 +-()#.") == "" }

// isDecimal reports whether s is digits with an optional sign, fraction and
// exponent, as JSON has them but for zeros in front.
func isDecimal(s string) bool {
	s, ok := afterDigits(strings.TrimPrefix(s, "-"))
	if fraction, has := strings.CutPrefix(s, "."); ok && has {
		s, ok = afterDigits(fraction)
	}
	if ok && s != "" && s[0]|0x20 == 'e' {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		s, ok = afterDigits(s)
	}
	return ok && s == ""
}

// afterDigits gives what follows the digits that s must begin with.
func afterDigits(s string) (rest string, ok bool) {
	rest = strings.TrimLeft(s, "0123456789")
	return rest, len(rest) < len(s)
}
