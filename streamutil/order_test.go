package streamutil_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"orderq/streamutil"
)

func TestParseEntryID(t *testing.T) {
	for _, c := range []struct {
		text string
		id   streamutil.EntryID
	}{
		{"0-0", streamutil.EntryID{}},
		{"1700000000000-7", streamutil.EntryID{Ms: 1700000000000, Seq: 7}},
		{"18446744073709551615-18446744073709551615", streamutil.EntryID{Ms: 1<<64 - 1, Seq: 1<<64 - 1}},
	} {
		id, err := streamutil.ParseEntryID(c.text)
		if err != nil || id != c.id || id.String() != c.text {
			t.Errorf("%q: got %v, %v", c.text, id, err)
		}
	}
	for _, text := range []string{"", "-", "1", "1-", "-1", "1-2-3", "a-1", "1-b", "+1-1", "1- 1", "18446744073709551616-0"} {
		if id, err := streamutil.ParseEntryID(text); err == nil {
			t.Errorf("%q was read as %v", text, id)
		}
	}
	_, err := streamutil.ParseEntryID("99999999999999999999-0")
	if !errors.Is(err, strconv.ErrRange) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestEntryIDsSortAsNumbers(t *testing.T) {
	ids := []streamutil.EntryID{{Ms: 100, Seq: 10}, {Ms: 100, Seq: 9}, {Ms: 99, Seq: 11}, {}}
	slices.SortFunc(ids, streamutil.EntryID.Compare)
	want := []streamutil.EntryID{{}, {Ms: 99, Seq: 11}, {Ms: 100, Seq: 9}, {Ms: 100, Seq: 10}}
	if !slices.Equal(ids, want) {
		t.Errorf("sorted as %v", ids)
	}
	if !ids[0].IsZero() || ids[1].IsZero() {
		t.Error("only the first one is zero")
	}
	if at := (streamutil.EntryID{Ms: 1500}).Time(); !at.Equal(time.UnixMilli(1500)) {
		t.Errorf("its time is %v", at)
	}
}

func TestEntryIDAsText(t *testing.T) {
	var v struct{ Entry streamutil.EntryID }
	if err := json.Unmarshal([]byte(`{"Entry":"5-1"}`), &v); err != nil || v.Entry != (streamutil.EntryID{Ms: 5, Seq: 1}) {
		t.Fatalf("%v %v", v, err)
	}
	if b, err := json.Marshal(v); err != nil || string(b) != `{"Entry":"5-1"}` {
		t.Errorf("%s %v", b, err)
	}
	if err := json.Unmarshal([]byte(`{"Entry":"5"}`), &v); err == nil {
		t.Error("half an ID was read")
	}
}

func TestFinalStates(t *testing.T) {
	for state, final := range map[streamutil.State]bool{
		streamutil.Waiting: false, streamutil.InFlight: false, streamutil.Parked: false,
		streamutil.Delivered: true, streamutil.Dead: true, streamutil.Cancelled: true,
	} {
		if state.Final() != final {
			t.Errorf("%s: final is %v", state, state.Final())
		}
	}
	if n := len(streamutil.Outcomes()); n != 7 {
		t.Errorf("%d outcomes", n)
	}
}

func FuzzParseEntryID(f *testing.F) {
	for _, s := range []string{"0-0", "1-1", "-", "1-", "18446744073709551615-0", "01-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := streamutil.ParseEntryID(s)
		if err != nil {
			return
		}
		again, err := streamutil.ParseEntryID(id.String())
		if err != nil || again != id || id.Compare(again) != 0 {
			t.Fatalf("%q is %v, written again %v, %v", s, id, again, err)
		}
	})
}
