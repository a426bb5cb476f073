package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"orderq/streamutil"
)

// backupFormat is the form of backup files that this program writes, and the newest
// that it reads.
const backupFormat = 1

// What made a backup file.
const (
	madeByBackup = "backup"
	madeByPurge  = "purge"
)

// aboutBackup is the first line of a backup file.
type aboutBackup struct {
	Format int       `json:"format"`
	Queue  string    `json:"queue"`
	Redis  string    `json:"redis"`
	MadeBy string    `json:"made_by"`
	Begun  time.Time `json:"begun_at"`
	// Last is the newest entry when it began: what is behind it came meanwhile, or was
	// requeued.
	Last streamutil.EntryID `json:"last_entry_id"`
}

// savedOrder is any other line.
type savedOrder struct {
	OrderID  octets             `json:"order_id"`
	State    streamutil.State   `json:"state"`
	Body     octets             `json:"body,omitempty"`
	BodyHash string             `json:"body_sha256,omitempty"`
	Trace    octets             `json:"trace_parent,omitempty"`
	Accepted *time.Time         `json:"accepted_at,omitempty"`
	Finished *time.Time         `json:"finished_at,omitempty"`
	Attempts int                `json:"attempts,omitempty"`
	Outcome  streamutil.Outcome `json:"outcome,omitempty"`
	Status   int                `json:"status,omitempty"`
	Answer   octets             `json:"answer,omitempty"`
	Reason   string             `json:"reason,omitempty"`
	EntryID  streamutil.EntryID `json:"entry_id"`
	// LeftMS is how long a finished one was to be known yet.
	LeftMS int64 `json:"left_ms,omitempty"`
	// Dropped is of a dead one that a person has given up.
	Dropped bool `json:"dropped,omitempty"`
	// Raw and Mark are of what is no order.
	Raw  octets `json:"raw,omitempty"`
	Mark string `json:"mark,omitempty"`
}

// octets are any bytes: in JSON a string, or {"base64": …} if they are no UTF-8.
type octets string

type octetsInBase64 struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON implements json.Marshaler.
func (o octets) MarshalJSON() ([]byte, error) {
	if !utf8.ValidString(string(o)) {
		return json.Marshal(octetsInBase64{[]byte(o)})
	}
	return plainJSON(string(o))
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *octets) UnmarshalJSON(b []byte) error {
	if !bytes.HasPrefix(b, []byte("{")) {
		return json.Unmarshal(b, (*string)(o))
	}
	var in octetsInBase64
	err := json.Unmarshal(b, &in)
	*o = octets(in.Base64)
	return err
}

// plainJSON leaves <, > and & as they are, for those who read the file.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// saving gives the lines of a block.
func saving(copies []streamutil.Copy) ([]byte, error) {
	var lines []byte
	for _, c := range copies {
		line, err := plainJSON(savedOrder{
			OrderID: octets(c.OrderID), State: c.State, Body: octets(c.Body), BodyHash: c.BodyHash, Trace: octets(c.TraceParent),
			Accepted: knownTime(c.Accepted), Finished: knownTime(c.Finished), Attempts: c.Attempts, Outcome: c.Outcome,
			Status: c.Status, Answer: octets(c.Answer), Reason: c.Reason, EntryID: c.Entry, LeftMS: c.Left.Milliseconds(),
			Dropped: c.Dropped, Raw: octets(c.Raw), Mark: c.Mark,
		})
		if err != nil {
			return nil, fmt.Errorf("write the backup: %w", err)
		}
		lines = append(lines, line...)
	}
	return lines, nil
}

func (s savedOrder) copied() streamutil.Copy {
	c := streamutil.Copy{
		OrderID: string(s.OrderID), State: s.State, BodyHash: s.BodyHash, TraceParent: string(s.Trace), Attempts: s.Attempts,
		Outcome: s.Outcome, Status: s.Status, Answer: string(s.Answer), Reason: s.Reason, Entry: s.EntryID,
		Left: time.Duration(s.LeftMS) * time.Millisecond, Dropped: s.Dropped, Raw: string(s.Raw), Mark: s.Mark,
	}
	if s.Body != "" {
		c.Body = []byte(s.Body)
	}
	if s.Accepted != nil {
		c.Accepted = *s.Accepted
	}
	if s.Finished != nil {
		c.Finished = *s.Finished
	}
	return c
}

// readLines reads the lines of a block.
func readLines(lines []byte) ([]streamutil.Copy, error) {
	var copies []streamutil.Copy
	for line := range bytes.Lines(lines) {
		var s savedOrder
		if err := json.Unmarshal(line, &s); err != nil {
			return nil, errors.New("a line of it is not understood")
		}
		copies = append(copies, s.copied())
	}
	return copies, nil
}
