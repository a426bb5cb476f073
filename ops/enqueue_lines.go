package ops

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// record reads the next order of an input that is no array: a line, or an
// object of several. A line that is no order is given as it is.
func (in *input) record() (submission, error) {
	indent, err := in.blank()
	if err != nil {
		return submission{}, err
	}
	if in.seen[indent] != '{' {
		if in.spread { // between objects of several lines a stray line is no order
			return submission{}, in.fault(indent, "an order must begin here, with {")
		}
		return in.wholeLine()
	}
	var o outline
	i, err := in.follow(&o, indent, true)
	switch {
	case err == nil && o.done():
		return in.object(indent, i)
	case err == nil && o.inText, errors.Is(err, errOutline), errors.Is(err, io.EOF), errors.Is(err, bufio.ErrBufferFull):
		return in.wholeLine()
	case err != nil:
		return submission{}, in.unreadable(i, err)
	}
	return in.several(&o, indent, i)
}

// errOutline is about text that JSON has no place for.
var errOutline = errors.New("not JSON from here on")

// follow goes along an object from byte i on, and stops behind its end, or at
// the end of the line if it is to, or at what is wrong. It takes nothing.
func (in *input) follow(o *outline, i int, oneLine bool) (int, error) {
	for ; !o.done(); i++ {
		c, err := in.at(i)
		switch {
		case err != nil:
			return i, err
		case c == '\n' && oneLine:
			return i, nil
		case !o.step(c):
			return i, errOutline
		}
	}
	return i, nil
}

// object gives an object that ends on the line it began on. It is the whole
// line, but where another object follows on it.
func (in *input) object(indent, end int) (submission, error) {
	i := end
	for ; ; i++ {
		if c, err := in.at(i); err != nil || c == '\n' || !space(c) {
			break
		}
	}
	if i == len(in.seen) || in.seen[i] != '{' {
		return in.wholeLine()
	}
	in.pass(indent)
	found := in.cut(end - indent)
	in.rest()
	return found, nil
}

// wholeLine gives the line that begins here, without its end.
func (in *input) wholeLine() (submission, error) {
	found, huge := submission{line: in.line}, false
	for i := 0; ; i++ {
		c, err := in.at(i)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			in.pass(i)
			i, huge = -1, true
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return submission{}, in.unreadable(i, err)
		case err == nil && c != '\n':
			continue
		}
		if body := bytes.TrimSuffix(in.seen[:i], []byte("\r")); !huge && len(body) <= maxOrder {
			found.body = bytes.Clone(body)
		}
		if err == nil {
			i++
		}
		in.pass(i)
		return found, nil
	}
}

// several gives an object that goes on behind byte i, where its first line
// ends. If it turns out to be none, and other orders seem to begin on the lines
// that follow, the first line is one that was cut short, and given as it is.
func (in *input) several(o *outline, indent, i int) (submission, error) {
	cut := false
	for {
		c, err := in.at(i + 1)
		cut = cut || err == nil && c == '{'
		o.step('\n')
		end, err := in.follow(o, i+1, true)
		switch {
		case err == nil && o.done():
			in.spread = true
			in.pass(indent)
			found := in.cut(end - indent)
			in.rest()
			return found, nil
		case err == nil && !o.inText:
			i = end
			continue
		case err != nil && !errors.Is(err, errOutline) && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull):
			return submission{}, in.unreadable(end, err)
		case cut:
			return in.wholeLine()
		case errors.Is(err, io.EOF):
			return submission{}, in.fault(indent, "the input ends within the order that begins here")
		case errors.Is(err, bufio.ErrBufferFull):
			return in.tooLarge(o, end)
		}
		return submission{}, in.fault(end, "%v", errOutline)
	}
}

// tooLarge goes past an object of several lines that is too large to hold, of
// which the outline has followed the bytes before i.
func (in *input) tooLarge(o *outline, i int) (submission, error) {
	in.spread = true
	found := submission{line: in.line}
	for {
		in.pass(i)
		end, err := in.follow(o, 0, false)
		switch {
		case err == nil:
			in.pass(end)
			in.rest()
			return found, nil
		case errors.Is(err, bufio.ErrBufferFull):
			i = end
		case errors.Is(err, errOutline):
			return submission{}, in.fault(end, "%v", err)
		case errors.Is(err, io.EOF):
			return submission{}, in.fault(end, "the input ends within an order")
		default:
			return submission{}, in.unreadable(end, err)
		}
	}
}
