package producer

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// scope is something that a token may allow.
type scope string

const (
	scopeSubmit scope = "submit" // POST
	scopeRead   scope = "read"   // GET
	scopeCancel scope = "cancel" // DELETE, and to see what the partner answered
)

var allScopes = []scope{scopeSubmit, scopeRead, scopeCancel}

// caller is who sends a request, and what it may do.
type caller struct {
	name   string // of the token; "" where there are no tokens
	scopes []scope
}

func (c caller) may(s scope) bool { return slices.Contains(c.scopes, s) }

// Tokens are those who may come in. The zero value lets nobody in.
type Tokens struct{ list []token }

type token struct {
	caller
	sum [sha256.Size]byte // of the secret, which is not kept
}

var tokenNameForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ParseTokens reads lines of NAME SCOPES SECRET: a name to know the client by, the
// scopes submit, read and cancel with commas between, and what the client sends
// as its bearer token (RFC 6750). Empty lines and those that begin with # do not
// count. Two lines may have the same name, so that a secret can be replaced
// without a break. The error names every line that is wrong, and no secret.
func ParseTokens(text string) (Tokens, error) {
	var t Tokens
	var errs []error
	for i, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		next, err := parseToken(fields)
		if err == nil && t.find(next.sum) != nil {
			err = errors.New("the secret of a line above")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", i+1, err))
			continue
		}
		t.list = append(t.list, next)
	}
	return t, errors.Join(errs...)
}

// parseToken reads a line. What is wrong is not shown: it may be a secret in the
// wrong place.
func parseToken(fields []string) (token, error) {
	if len(fields) != 3 {
		return token{}, fmt.Errorf("want three words, NAME SCOPES SECRET; there are %d", len(fields))
	}
	if !tokenNameForm.MatchString(fields[0]) {
		return token{}, errors.New("a name is of 1 to 64 letters, digits, dots, _ and -")
	}
	t := token{caller: caller{name: fields[0]}, sum: sha256.Sum256([]byte(fields[2]))}
	for word := range strings.SplitSeq(fields[1], ",") {
		if !slices.Contains(allScopes, scope(word)) {
			return token{}, errors.New("the second word must be scopes: submit, read and cancel, with commas between")
		}
		t.scopes = append(t.scopes, scope(word))
	}
	return t, nil
}

// Len is how many tokens there are.
func (t Tokens) Len() int { return len(t.list) }

// find gives the token with a secret's hash. It looks at all of them, and at all
// of each, so that the time it takes tells nothing.
func (t Tokens) find(sum [sha256.Size]byte) *token {
	var found *token
	for i := range t.list {
		if subtle.ConstantTimeCompare(t.list[i].sum[:], sum[:]) == 1 {
			found = &t.list[i]
		}
	}
	return found
}

// holder gives who holds the token of an Authorization header, if it is one.
func (t Tokens) holder(authorization string) (caller, bool) {
	scheme, secret, _ := strings.Cut(authorization, " ")
	found := t.find(sha256.Sum256([]byte(strings.TrimSpace(secret))))
	if found == nil || !strings.EqualFold(scheme, "Bearer") {
		return caller{}, false
	}
	return found.caller, true
}
