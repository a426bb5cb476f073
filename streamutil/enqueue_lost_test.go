package streamutil

import (
	"errors"
	"testing"
)

// What follows a chunk that was not taken whole must not be taken either, though
// there be room for it by then: what was refused would fall behind it.
func TestLostIn(t *testing.T) {
	unavailable := wrap("enqueue", &redisError{kind: kindConnection, err: errors.New("gone")})
	for name, tt := range map[string]struct {
		errs []error
		want error
	}{
		"all is well":        {[]error{nil, nil}, nil},
		"a conflict":         {[]error{ErrConflict, nil}, nil},
		"full in the middle": {[]error{nil, ErrFull, nil}, ErrFull},
		"redis is lost":      {[]error{nil, unavailable}, ErrUnavailable},
		"not confirmed":      {[]error{ErrNotConfirmed, ErrNotConfirmed}, errNotTried},
	} {
		var chunk []Submission
		for _, err := range tt.errs {
			chunk = append(chunk, Submission{Err: err})
		}
		if got := lostIn(chunk); !errors.Is(got, tt.want) || (got == nil) != (tt.want == nil) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}
