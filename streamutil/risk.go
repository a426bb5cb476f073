package streamutil

// Risks, as a [Snapshot] has them. What Redis does not tell is none.
const (
	// RiskEviction: when its memory is full, Redis throws away what it may.
	RiskEviction = "eviction"
	// RiskPersistence: there is no append-only file, and no replica has to
	// confirm; if Redis restarts, orders are lost.
	RiskPersistence = "persistence"
	// RiskWriteErrors: Redis could not write its file, and may refuse new orders.
	RiskWriteErrors = "write_errors"
	// RiskMemory: over 90 % of maxmemory are used.
	RiskMemory = "memory"
)

const (
	noEviction = "noeviction"
	nearlyFull = 0.9
)

// Risks lists every value there is.
func Risks() []string {
	return []string{RiskEviction, RiskPersistence, RiskWriteErrors, RiskMemory}
}

// risks are those of a server; orderq doctor knows more, and how to mend them.
func (s server) risks(d Durability) (found []string) {
	m, p := s.memory, s.persistence
	failed := func(status string) bool { return status != "" && status != "ok" }
	for _, r := range []struct {
		name string
		is   bool
	}{
		{RiskEviction, m.Max > 0 && m.Policy != "" && m.Policy != noEviction},
		{RiskPersistence, p.SaveStatus != "" && !p.AOF && d.Replicas() == 0},
		{RiskWriteErrors, failed(p.WriteStatus) || failed(p.SaveStatus)},
		{RiskMemory, m.Max > 0 && float64(m.Used) > nearlyFull*float64(m.Max)},
	} {
		if r.is {
			found = append(found, r.name)
		}
	}
	return found
}
