package producer

import (
	"context"
	"net/http"

	"orderq/streamutil"
)

// queueStatus says how the queue is doing. All keys are always present; null is
// "nothing stands in the way" or "not known".
type queueStatus struct {
	Queue    string                `json:"queue"`
	State    streamutil.QueueState `json:"state"`
	Reason   *string               `json:"reason"` // one word; who paused it and why is not for the public
	Pace     *string               `json:"pace"`
	Backlog  int64                 `json:"backlog"`
	Waiting  int64                 `json:"waiting"`
	InFlight int64                 `json:"in_flight"`
	Parked   int64                 `json:"parked"`
	Dead     int64                 `json:"dead"`
	Drain    *float64              `json:"drain_seconds"`
}

// queueState is GET /v1/queue.
func (h *Handler) queueState(w http.ResponseWriter, r *http.Request, _ caller) *problem {
	s, err := h.inspect(r.Context())
	if err != nil {
		return problemOf(err)
	}
	status := queueStatus{
		Queue: h.queue.Name(), State: s.State, Backlog: s.Length, Waiting: s.Waiting,
		InFlight: s.InFlight, Parked: s.Parked, Dead: s.Dead,
	}
	if s.Blocked != "" {
		status.Reason = &s.Blocked
	}
	if s.PaceKnown {
		pace := streamutil.Every(s.Pace).String()
		status.Pace = &pace
	}
	if s.DrainKnown {
		seconds := s.Drain.Seconds()
		status.Drain = &seconds
	}
	writeJSON(w, http.StatusOK, typeJSON, status)
	return nil
}

// inspect reads the queue once for all callers that wait at the same time.
func (h *Handler) inspect(ctx context.Context) (streamutil.Snapshot, error) {
	got, err, _ := h.shared.Do("inspect", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
		defer cancel()
		s, err := h.queue.Inspect(ctx)
		h.countTrouble(err)
		return s, err
	})
	s, _ := got.(streamutil.Snapshot)
	return s, err
}
