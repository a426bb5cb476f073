package ops

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// page is how many rows or dead letters are held at once, however many there are.
const page = 100

// sheet writes rows as they come, a page at a time: a table, an array, or one
// document a line.
type sheet[T any] struct {
	view
	headings []string
	cells    func(T) []string
	// before is called before a page is written; nil does nothing.
	before func()

	waiting []T
	begun   bool
}

func (s *sheet[T]) add(item T) error {
	if s.waiting = append(s.waiting, item); len(s.waiting) < page {
		return nil
	}
	return s.flush()
}

// close writes what is left, and what ends the form.
func (s *sheet[T]) close() error {
	if err := s.flush(); err != nil || s.format != "json" {
		return err
	}
	end := "\n]"
	if !s.begun {
		end = "[]" // an empty array, not null
	}
	_, err := fmt.Fprintln(s.out, end)
	return err
}

func (s *sheet[T]) flush() error {
	list := s.waiting
	s.waiting = nil
	if s.before != nil {
		s.before()
	}
	switch s.format {
	case "json":
		return s.elements(list)
	case "jsonl":
		for _, item := range list {
			if err := s.json(item); err != nil {
				return err
			}
		}
		return nil
	}
	var lines [][]string
	if !s.begun && !s.noHeaders {
		lines = append(lines, s.headings)
	}
	s.begun = true
	for _, item := range list {
		lines = append(lines, s.cells(item))
	}
	return s.table(lines)
}

// elements writes a part of an array: all of it but the bracket at its end.
func (s *sheet[T]) elements(list []T) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("  ", "  ")
	for _, item := range list {
		before := ",\n  "
		if !s.begun {
			before = "[\n  "
		}
		s.begun = true
		b.WriteString(before)
		if err := enc.Encode(item); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // the line's end belongs after the comma
	}
	_, err := s.out.Write(b.Bytes())
	return err
}
