package producer

import (
	"bytes"
	"encoding/json"
)

func (s *scanner) object(visit func(key, value []byte)) *syntaxError {
	if err := s.enter(); err != nil {
		return err
	}
	if s.peek() == '}' {
		_, err := s.next('}')
		return err
	}
	var keys keySet
	for more := true; more; {
		start := s.at
		key, err := s.key()
		if err != nil {
			return err
		}
		if !keys.add(key) {
			return &syntaxError{start, "a key that this object has already"}
		}
		value, err := s.value()
		if err != nil {
			return err
		}
		if visit != nil {
			visit(key, value)
		}
		if more, err = s.next('}'); err != nil {
			return err
		}
	}
	return nil
}

// key reads a key and the colon behind it.
func (s *scanner) key() ([]byte, *syntaxError) {
	if s.peek() != '"' {
		return nil, s.fault("want a key in double quotes")
	}
	start := s.at
	if err := s.text(); err != nil {
		return nil, err
	}
	key := unquote(s.in[start:s.at])
	if s.space(); s.peek() != ':' {
		return nil, s.fault("want a colon")
	}
	s.at++
	s.space()
	return key, nil
}

func (s *scanner) array(visit func(value []byte)) *syntaxError {
	if err := s.enter(); err != nil {
		return err
	}
	if s.peek() == ']' {
		_, err := s.next(']')
		return err
	}
	for more := true; more; {
		value, err := s.value()
		if err != nil {
			return err
		}
		if visit != nil {
			visit(value)
		}
		if more, err = s.next(']'); err != nil {
			return err
		}
	}
	return nil
}

// value reads one value and gives its bytes as they stand.
func (s *scanner) value() ([]byte, *syntaxError) {
	start := s.at
	var err *syntaxError
	switch c := s.peek(); {
	case c == '{':
		err = s.object(nil)
	case c == '[':
		err = s.array(nil)
	case c == '"':
		err = s.text()
	case c == '-', isDigit(c):
		err = s.number()
	default:
		err = s.literal()
	}
	return s.in[start:s.at], err
}

func (s *scanner) literal() *syntaxError {
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.in[s.at:], []byte(word)) {
			s.at += len(word)
			return nil
		}
	}
	return s.fault("want a value")
}

// unquote resolves the escapes of a string that [scanner.text] has read.
func unquote(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if !bytes.ContainsRune(inner, '\\') {
		return inner
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil { // text has read it
		panic(err)
	}
	return []byte(s)
}

// keySet holds the keys of one object: most have few, and a slice is cheaper
// then; for many it must not take quadratic time.
type keySet struct {
	few  [16][]byte
	n    int
	many map[string]struct{}
}

// add reports whether the key is new.
func (k *keySet) add(key []byte) bool {
	if k.many != nil {
		_, present := k.many[string(key)]
		k.many[string(key)] = struct{}{}
		return !present
	}
	for _, known := range k.few[:k.n] {
		if bytes.Equal(known, key) {
			return false
		}
	}
	if k.n < len(k.few) {
		k.few[k.n] = key
		k.n++
		return true
	}
	k.many = make(map[string]struct{}, 4*len(k.few))
	for _, known := range k.few {
		k.many[string(known)] = struct{}{}
	}
	k.many[string(key)] = struct{}{}
	return true
}
