package bench

import "strconv"

const rest = `,"amount":"199.90","currency":"EUR","customer_id":"C-1001","email":"jane@example.com",` +
	`"phone":"+44 20 7946 0000","created_at":"2026-01-02T03:04:05Z","items":[` +
	`{"sku":"TEA-1","name":"Oolong tea","quantity":2,"price":"49.95"},{"sku":"CUP-7","name":"Cup","quantity":4,"price":25}],` +
	`"note":"leave at the door","address":{"street":"1 High Street","city":"London"}}`

// AppendOrder appends an order of about 400 bytes, with every field that the
// producer checks, under the id PREFIX-N.
func AppendOrder(buf []byte, prefix string, n int64) []byte {
	buf = append(append(buf, `{"order_id":"`...), prefix...)
	buf = strconv.AppendInt(append(buf, '-'), n, 10)
	return append(append(buf, '"'), rest...)
}

// AppendLines appends many orders, one a line.
func AppendLines(buf []byte, prefix string, from, count int64) []byte {
	for n := from; n < from+count; n++ {
		buf = append(AppendOrder(buf, prefix, n), '\n')
	}
	return buf
}
