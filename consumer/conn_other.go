//go:build !unix

package consumer

import "time"

// alive looks whether a call may use a connection that rests: the partner has
// neither closed it nor said anything unasked, which the call would take for
// its answer.
func (c *connection) alive() bool { return c.silent(time.Millisecond) }
