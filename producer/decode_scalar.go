package producer

import (
	"encoding/hex"
	"unicode/utf16"
)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number reads a number as RFC 8259 writes it. It looks at its form only: the
// value of 1e999999999 is never computed.
func (s *scanner) number() *syntaxError {
	if s.peek() == '-' {
		s.at++
	}
	if s.peek() == '0' {
		if s.at++; isDigit(s.peek()) {
			return s.fault("a number does not begin with 0")
		}
	} else if err := s.digits(); err != nil {
		return err
	}
	if s.peek() == '.' {
		s.at++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		return s.digits()
	}
	return nil
}

func (s *scanner) digits() *syntaxError {
	if !isDigit(s.peek()) {
		return s.fault("want a digit")
	}
	for isDigit(s.peek()) {
		s.at++
	}
	return nil
}

// text reads a string with its quotes.
func (s *scanner) text() *syntaxError {
	s.at++
	for s.at < len(s.in) {
		switch c := s.in[s.at]; {
		case c == '"':
			s.at++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c < ' ':
			return s.fault("a control character in a string")
		default:
			s.at++
		}
	}
	return s.fault("")
}

// escape reads a backslash and what belongs to it; for the first half of a
// surrogate pair that is the second half too.
func (s *scanner) escape() *syntaxError {
	start := s.at
	s.at++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return nil
	case 'u':
	default:
		return s.fault("no such escape")
	}
	first, err := s.hex4()
	if err != nil || !utf16.IsSurrogate(first) {
		return err
	}
	if s.peek() == '\\' && s.at+1 < len(s.in) && s.in[s.at+1] == 'u' {
		s.at++
		second, err := s.hex4()
		if err != nil {
			return err
		}
		if utf16.DecodeRune(first, second) != '\uFFFD' {
			return nil
		}
	}
	return &syntaxError{start, "half a surrogate pair"}
}

// hex4 reads u and four hexadecimal digits.
func (s *scanner) hex4() (rune, *syntaxError) {
	var code [2]byte
	if s.at+5 > len(s.in) {
		s.at = len(s.in)
		return 0, s.fault("")
	}
	if _, err := hex.Decode(code[:], s.in[s.at+1:s.at+5]); err != nil {
		return 0, s.fault("want four hexadecimal digits")
	}
	s.at += 5
	return rune(code[0])<<8 | rune(code[1]), nil
}
