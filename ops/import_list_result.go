package ops

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"orderq/streamutil"
)

var errInterrupted = errors.New("interrupted")

// importAgain is what to do after an import that ended early.
const importAgain = "nothing is lost: the same command goes on where this one stopped"

// listResult is what import-list -o json shows; scripts rely on its keys.
type listResult struct {
	DryRun bool   `json:"dry_run"`
	Key    string `json:"key"`
	From   string `json:"from"`
	// Read is how many items were taken out of the list: Enqueued, Duplicates and
	// DeadLetters are all of them, and after an error may be more.
	Read     int `json:"read"`
	Enqueued int `json:"enqueued"`
	// Duplicates were in the queue already, as after an interruption.
	Duplicates    int     `json:"duplicates"`
	MadeIDs       int     `json:"made_ids"`
	DeadLetters   int     `json:"dead_letters"`
	TakenByOthers int     `json:"taken_by_others"`
	Left          int64   `json:"left"`
	Seconds       float64 `json:"seconds"`
	PerSecond     int     `json:"per_second"`
}

// rate is how many items a second were read so far.
func (r *listResult) rate(began time.Time) int {
	return int(float64(r.Read) / max(time.Since(began).Seconds(), 0.001))
}

func (r *listResult) show(v view) error {
	lines := [][]string{
		{"read", several(r.Read, "item")},
		{"enqueued", strconv.Itoa(r.Enqueued)},
		{"duplicates", strconv.Itoa(r.Duplicates)},
		{"made ids", strconv.Itoa(r.MadeIDs)},
		{"dead letters", strconv.Itoa(r.DeadLetters)},
		{"left", strconv.FormatInt(r.Left, 10)},
		{"took", fmt.Sprintf("%s, %d a second", span(time.Duration(r.Seconds*float64(time.Second))), r.PerSecond)},
	}
	return v.show(r, lines)
}

// finish tells what became of the import, however it ended.
func (im *importing) finish(stopped error) error {
	im.progress.end()
	r := &im.result
	r.Seconds, r.PerSecond = seconds(time.Since(im.began)), r.rate(im.began)
	err := im.note(true, r.Enqueued+r.DeadLetters)
	if r.DeadLetters > 0 {
		im.say("%s: orderq dead list shows why, orderq dead show LETTER --body what it was", several(r.DeadLetters, "dead letter"))
	}
	if stopped == nil {
		im.say("the list is empty. Its count stays in %s, and a later run goes on with it; when the old system is gone for good, delete that key", quoted(im.source.CountKey()))
	}
	if shown := r.show(im.view); shown != nil {
		err = errors.Join(err, shown)
	}
	if stopped != nil {
		return &exit{code: exitFailed, text: errors.Join(fmt.Errorf("%w; %s", stopped, importAgain), err).Error()}
	}
	return err
}

// note records the import in the queue's log, also one that is interrupted.
func (im *importing) note(ended bool, orders int) error {
	_, err := call(context.Background(), im.queue, func(ctx context.Context, q *streamutil.Queue) (struct{}, error) {
		return struct{}{}, q.NoteImport(ctx, ended, orders, im.by)
	})
	return err
}

// sourceFault says what to do after an error of the server with the list.
func (im *importing) sourceFault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && mayPass(err) {
		return fmt.Errorf("%w while %s did not answer", errInterrupted, im.source.Redis())
	}
	return im.sourceSays(err)
}

// list says names, and how many there are beside them.
func list(names []string, all int) string {
	text := strings.Join(names, " ")
	if more := all - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
