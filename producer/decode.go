package producer

import (
	"strconv"
	"unicode/utf8"
)

// maxDepth bounds the nesting of an order: deep enough for any real document,
// shallow enough for any parser behind us.
const maxDepth = 100

// syntaxError says at which byte, counted from 0, a body stops being a JSON
// object, and why.
type syntaxError struct {
	offset int
	what   string
}

func (e *syntaxError) Error() string { return "at byte " + strconv.Itoa(e.offset) + ": " + e.what }

// decode checks that body is exactly one JSON object and hands each of its
// members to visit: the key with its escapes resolved, the value as it stands.
//
// It is stricter than encoding/json, which replaces broken UTF-8, keeps the
// last of several equal keys and ignores the case of keys; whoever reads the
// order behind us might not do the same.
func decode(body []byte, visit func(key, value []byte)) *syntaxError {
	if !utf8.Valid(body) {
		return &syntaxError{firstInvalid(body), "not UTF-8"}
	}
	s := scanner{in: body}
	s.space()
	switch {
	case s.at == len(body):
		return &syntaxError{s.at, "the body is empty"}
	case body[s.at] != '{':
		return &syntaxError{s.at, "an order is a JSON object"}
	}
	if err := s.object(visit); err != nil {
		return err
	}
	if s.space(); s.at < len(body) {
		return s.fault("more data after the object")
	}
	return nil
}

func firstInvalid(b []byte) int {
	at := 0
	for at < len(b) {
		r, size := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		at += size
	}
	return at
}

// scanner walks JSON text once, from left to right. Its methods leave it
// behind what they read.
type scanner struct {
	in    []byte
	at    int
	depth int
}

func (s *scanner) fault(what string) *syntaxError {
	if s.at >= len(s.in) {
		what = "the body ends too early"
	}
	return &syntaxError{s.at, what}
}

// peek is the next byte, or 0, which JSON has no use for, at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.in) {
		return s.in[s.at]
	}
	return 0
}

func (s *scanner) space() {
	for s.at < len(s.in) {
		switch s.in[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// enter goes one level down, past the opening bracket.
func (s *scanner) enter() *syntaxError {
	if s.depth++; s.depth > maxDepth {
		return s.fault("nested deeper than " + strconv.Itoa(maxDepth) + " levels")
	}
	s.at++
	s.space()
	return nil
}

// next goes past the comma before another member, or past the closing bracket.
func (s *scanner) next(closing byte) (more bool, err *syntaxError) {
	s.space()
	switch s.peek() {
	case ',':
		s.at++
		s.space()
		return true, nil
	case closing:
		s.at++
		s.depth--
		return false, nil
	}
	return false, s.fault("want a comma or " + string(closing))
}
