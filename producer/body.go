package producer

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"orderq/metrics"
)

// The forms that orders come in.
const (
	typeJSON  = "application/json"
	typeLines = "application/x-ndjson"
)

// mediaType is what a body claims to be; "" if that is nothing we take, is not
// in UTF-8 or is packed.
func mediaType(header http.Header) string {
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	charset, named := params["charset"]
	packed := header.Get("Content-Encoding")
	if err != nil || (named && !strings.EqualFold(charset, "utf-8")) || (packed != "" && packed != "identity") {
		return ""
	}
	return media
}

func problemMediaType(want string) *problem {
	return newProblem(http.StatusUnsupportedMediaType, "media-type", "Unsupported media type", want).
		counted(metrics.RejectedMediaType)
}

// bounds are those of a body.
type bounds struct {
	size     int64
	within   time.Duration
	tooLarge string // says what the size bounds
}

func (h *Handler) orderBounds() bounds {
	return bounds{h.cfg.MaxBody, h.cfg.BodyTimeout, "an order has at most " + strconv.FormatInt(h.cfg.MaxBody, 10) + " bytes"}
}

func (h *Handler) batchBounds() bounds {
	return bounds{maxBatchSize, 2 * h.cfg.BodyTimeout, "a batch has at most " + strconv.Itoa(maxBatchSize) + " bytes"}
}

// readBody gives the body as it came in, if it is within its bounds. What is too
// large by its own account is not read at all.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request, b bounds) ([]byte, *problem) {
	if r.ContentLength > b.size {
		w.Header().Set("Connection", "close")
		return nil, problemTooLarge(b.tooLarge)
	}
	// Not every ResponseWriter can set deadlines; the server's own are then
	// all there is.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(b.within))
	var buf bytes.Buffer
	buf.Grow(int(min(max(r.ContentLength, 0), h.cfg.MaxBody)) + bytes.MinRead) // more only as it comes
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, b.size))
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		// A deadline left behind would cancel the request when it passes.
		_ = control.SetReadDeadline(time.Time{})
		return buf.Bytes(), nil
	case errors.As(err, &tooLarge):
		return nil, problemTooLarge(b.tooLarge)
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return nil, newProblem(http.StatusRequestTimeout, "timeout", "Too slow",
			"the body did not come in time").counted(metrics.RejectedAborted)
	}
	return nil, newProblem(http.StatusBadRequest, "aborted", "Incomplete request",
		"the body broke off").counted(metrics.RejectedAborted).causedBy(err)
}

// What a refused body may still cost so that its connection can be used again.
const (
	discardSize   = 256 << 10
	discardWithin = 100 * time.Millisecond
)

// discardRest takes what is left of the body of a refused request, or ends the
// connection with the answer. A connection that is kept must have no deadline left:
// if that passes, net/http cancels the connection's context, and with it every later
// request on it. One that ends needs it, for net/http, too, waits for the rest.
func discardRest(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor > 1 || r.Header.Get("Expect") != "" { // which net/http sees to
		return
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(discardWithin))
	if w.Header().Get("Connection") != "close" && r.ContentLength <= discardSize {
		if _, err := io.CopyN(io.Discard, r.Body, discardSize+1); errors.Is(err, io.EOF) {
			_ = control.SetReadDeadline(time.Time{})
			if r.Context().Err() == nil {
				return
			}
		}
	}
	w.Header().Set("Connection", "close")
}

func problemTooLarge(detail string) *problem {
	return newProblem(http.StatusRequestEntityTooLarge, "too-large", "Too large", detail).counted(metrics.RejectedTooLarge)
}
