package main

import (
	"errors"
	"fmt"
	"strings"
)

// assignment is one NAME=VALUE of a .env file or of the environment.
type assignment struct {
	name, value string
	line        int
}

// parseDotenv reads the lines of a .env file that concern orderq: ORDERQ_ names
// and the legacy ones. All others belong to other programs and may be in any
// dialect. No error repeats a value: it may be a password.
//
// The grammar is what the common dialects agree on: NAME=value, an "export"
// before it, comments from # at the start or after a space, 'taken as it is',
// "with \n \t \" \\ \$". Where they differ (references to other variables, a
// value over several lines), it is an error rather than a guess.
func parseDotenv(data string, bad func(line int, name, text string)) []assignment {
	var found []assignment
	first := map[string]int{}
	for i, text := range strings.Split(strings.TrimPrefix(data, "\ufeff"), "\n") {
		text = strings.TrimSpace(text)
		if rest, ok := strings.CutPrefix(text, "export "); ok {
			text = strings.TrimSpace(rest)
		}
		name, value, assigned := strings.Cut(text, "=")
		name = strings.TrimSpace(name)
		if !strings.HasPrefix(name, envPrefix) && !isLegacyName(name) {
			continue
		}
		if !assigned {
			bad(i+1, "", "want NAME=VALUE")
			continue
		}
		if first[name] != 0 {
			bad(i+1, name, fmt.Sprintf("comes twice, first on line %d", first[name]))
			continue
		}
		first[name] = i + 1
		parsed, err := dotenvValue(strings.TrimSpace(value))
		if err != nil {
			bad(i+1, name, err.Error())
			continue
		}
		found = append(found, assignment{name: name, value: parsed, line: i + 1})
	}
	return found
}

// dotenvValue reads what stands after the equals sign, without spaces around.
func dotenvValue(text string) (string, error) {
	switch {
	case strings.HasPrefix(text, "'"):
		value, rest, closed := strings.Cut(text[1:], "'")
		return value, quoteEnd(rest, closed)
	case strings.HasPrefix(text, `"`):
		return doubleQuoted(text[1:])
	case strings.HasPrefix(text, "#"):
		return "", nil
	}
	for _, comment := range []string{" #", "\t#"} {
		text, _, _ = strings.Cut(text, comment)
	}
	return strings.TrimSpace(text), noReference(text)
}

func doubleQuoted(text string) (string, error) {
	var value strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return value.String(), quoteEnd(text[i+1:], true)
		case c == '\\' && i+1 < len(text):
			i++
			value.WriteString(unescape(text[i]))
		case strings.HasPrefix(text[i:], "${"):
			return "", noReference(text[i:])
		default:
			value.WriteByte(c)
		}
	}
	return "", quoteEnd("", false)
}

// unescape gives what a backslash before c means. One before an ordinary
// character is itself.
func unescape(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case '"', '\\', '$':
		return string(c)
	}
	return `\` + string(c)
}

func quoteEnd(rest string, closed bool) error {
	if !closed {
		return errors.New("the quote is not closed on this line")
	}
	if rest = strings.TrimSpace(rest); rest != "" && !strings.HasPrefix(rest, "#") {
		return errors.New("text after the closing quote")
	}
	return nil
}

// noReference refuses what some programs would expand and others would not.
func noReference(text string) error {
	if strings.Contains(text, "${") {
		return errors.New("references such as ${NAME} are not expanded; write the value out, or put it in single quotes")
	}
	return nil
}
