package ops

import (
	"bufio"
	"errors"
	"io"
)

// element reads the next element of the array, without the space around it.
func (in *input) element() (submission, error) {
	indent, err := in.blank()
	switch {
	case errors.Is(err, io.EOF) && in.array.done():
		return submission{}, io.EOF
	case errors.Is(err, io.EOF):
		return submission{}, in.fault(0, "the input ends within the array")
	case err != nil:
		return submission{}, err
	case in.array.done():
		return submission{}, in.fault(indent, "more data after the array")
	}
	in.pass(indent)
	return in.elementHere()
}

// elementHere reads an element whose first byte is the next one.
func (in *input) elementHere() (submission, error) {
	found := submission{line: in.line}
	end, huge := 0, false // behind the last byte that is no space
	for i := 0; ; i++ {
		c, err := in.at(i)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			in.pass(i)
			i, huge = -1, true
			continue
		case errors.Is(err, io.EOF):
			return submission{}, in.fault(len(in.seen), "the input ends within the array")
		case err != nil:
			return submission{}, in.unreadable(i, err)
		}
		last := len(in.array.open) == 1 && !in.array.inText && (c == ',' || c == ']')
		if !in.array.step(c) {
			return submission{}, in.fault(i, "not JSON from here on")
		}
		switch {
		case last && i == 0 && !huge: // an array without elements
			in.pass(1)
			return in.element()
		case last:
			if !huge {
				found = in.cut(end)
				i -= end
			}
			in.pass(i + 1)
			return found, nil
		case !space(c):
			end = i + 1
		}
	}
}
