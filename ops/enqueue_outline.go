package ops

// outline follows JSON text from byte to byte, so that it is known where an
// order ends: its brackets, commas, colons and strings. Numbers, words and
// escapes it lets pass, whatever they are: the producer judges those.
type outline struct {
	open    []byte // the brackets { and [ that are not closed yet
	want    wanted
	inText  bool // within a string
	escaped bool // behind a backslash
	inWord  bool // within a number, true, false or null
}

// wanted is what may come next.
type wanted int

const (
	wantValue wanted = iota
	wantValueOrEnd
	wantKey
	wantKeyOrEnd
	wantColon
	wantCommaOrEnd
)

// done reports whether a whole value has passed.
func (o *outline) done() bool {
	return len(o.open) == 0 && !o.inText && o.want == wantCommaOrEnd
}

// step goes past one byte, and reports whether it may stand there.
func (o *outline) step(c byte) bool {
	if o.inText {
		return o.text(c)
	}
	wasWord := o.inWord
	o.inWord = false
	switch c {
	case ' ', '\t', '\r', '\n':
		return true
	case '"':
		o.inText = true
		return o.value() || o.key()
	case '{':
		o.open = append(o.open, c)
		return o.value() && o.then(wantKeyOrEnd)
	case '[':
		o.open = append(o.open, c)
		return o.value() && o.then(wantValueOrEnd)
	case '}':
		return o.end('{', wantKeyOrEnd)
	case ']':
		return o.end('[', wantValueOrEnd)
	case ',':
		return o.comma()
	case ':':
		return o.want == wantColon && o.then(wantValue)
	}
	o.inWord = true
	return c > ' ' && (wasWord || o.value())
}

func (o *outline) then(w wanted) bool { o.want = w; return true }

func (o *outline) value() bool {
	return (o.want == wantValue || o.want == wantValueOrEnd) && o.then(wantCommaOrEnd)
}

func (o *outline) key() bool {
	return (o.want == wantKey || o.want == wantKeyOrEnd) && o.then(wantColon)
}

func (o *outline) text(c byte) bool {
	switch {
	case o.escaped:
		o.escaped = false
	case c == '\\':
		o.escaped = true
	case c == '"':
		o.inText = false
	}
	return c >= ' '
}

// end closes a bracket; an empty object or array ends where it has begun.
func (o *outline) end(open byte, empty wanted) bool {
	last := len(o.open) - 1
	if last < 0 || o.open[last] != open || o.want != wantCommaOrEnd && o.want != empty {
		return false
	}
	o.open = o.open[:last]
	return o.then(wantCommaOrEnd)
}

func (o *outline) comma() bool {
	last := len(o.open) - 1
	if last < 0 || o.want != wantCommaOrEnd {
		return false
	}
	if o.open[last] == '{' {
		return o.then(wantKey)
	}
	return o.then(wantValue)
}
