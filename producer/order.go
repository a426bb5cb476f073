package producer

import (
	"strconv"
	"strings"
)

// document holds the fields of an order that are checked; nil is absent. The
// JSON tags name them in errors; validate's tags are in rules.go.
type document struct {
	OrderID    *string `json:"order_id" validate:"omitnil,min=1,max=128,order_id"`
	Amount     *string `json:"amount" validate:"omitnil,decimal,not_negative"`
	Currency   *string `json:"currency" validate:"required_with=Amount,omitnil,iso4217"`
	Items      []item  `json:"items" validate:"omitnil,min=1,max=500,dive"`
	CustomerID *string `json:"customer_id" validate:"omitnil,min=1,max=128"`
	Email      *string `json:"email" validate:"omitnil,max=254,email"`
	Phone      *string `json:"phone" validate:"omitnil,min=3,max=32,phone"`
	CreatedAt  *string `json:"created_at" validate:"omitnil,rfc3339"`
}

type item struct {
	SKU       *string `json:"sku" validate:"required_without=Name,omitnil,min=1,max=512"`
	Name      *string `json:"name" validate:"omitnil,min=1,max=512"`
	Quantity  *string `json:"quantity" validate:"required,at_least_one"`
	Price     *string `json:"price" validate:"omitnil,decimal,not_negative"`
	UnitPrice *string `json:"unit_price" validate:"omitnil,decimal,not_negative"`
}

// kind says which JSON types a field may have.
type kind int

const (
	text         kind = iota // a string
	number                   // a number, kept as it is written
	textOrNumber             // either
)

func (k kind) String() string {
	return [...]string{"a string", "a number", "a string or a number"}[k]
}

// reader fills a document and notes the fields of the wrong type, whose value
// stays empty: the rules then find fault with them too, and are not heard.
type reader struct {
	idField string
	doc     document
	faults  []fieldError
}

// member takes in one member of the order.
func (r *reader) member(key, value []byte) {
	d := &r.doc
	if string(key) == r.idField {
		d.OrderID = r.scalar(r.idField, text, value)
		return
	}
	switch string(key) {
	case "amount":
		d.Amount = r.scalar("amount", textOrNumber, value)
	case "currency":
		d.Currency = r.scalar("currency", text, value)
	case "items":
		d.Items = r.items(value)
	case "customer_id":
		d.CustomerID = r.scalar("customer_id", textOrNumber, value)
	case "email":
		d.Email = r.scalar("email", text, value)
	case "phone":
		d.Phone = r.scalar("phone", text, value)
	case "created_at":
		d.CreatedAt = r.scalar("created_at", text, value)
	}
}

// items reads the list of items; decode has found it well formed.
func (r *reader) items(value []byte) []item {
	items := []item{}
	if value[0] != '[' {
		r.wrongType("an array", "items")
		return items
	}
	list := scanner{in: value}
	_ = list.array(func(value []byte) {
		if len(items) <= maxItems { // one more than may be is enough to tell
			items = append(items, r.item(strconv.Itoa(len(items)), value))
		}
	})
	return items
}

func (r *reader) item(at string, value []byte) item {
	var it item
	if value[0] != '{' {
		r.wrongType("an object", "items", at)
		return it
	}
	members := scanner{in: value}
	_ = members.object(func(key, value []byte) {
		switch string(key) {
		case "sku":
			it.SKU = r.scalar("sku", text, value, "items", at)
		case "name":
			it.Name = r.scalar("name", text, value, "items", at)
		case "quantity":
			it.Quantity = r.scalar("quantity", number, value, "items", at)
		case "price":
			it.Price = r.scalar("price", textOrNumber, value, "items", at)
		case "unit_price":
			it.UnitPrice = r.scalar("unit_price", textOrNumber, value, "items", at)
		}
	})
	return it
}

// scalar gives the text of a string or number, or notes that it is neither.
func (r *reader) scalar(field string, want kind, value []byte, under ...string) *string {
	var s string
	switch c := value[0]; {
	case c == '"' && want != number:
		s = string(unquote(value))
	case (c == '-' || isDigit(c)) && want != text:
		s = string(value)
	default:
		r.wrongType(want.String(), append(under, field)...)
	}
	return &s
}

func (r *reader) wrongType(want string, path ...string) {
	r.faults = append(r.faults, fieldError{Pointer: pointer(path...), Code: "type", Detail: "must be " + want})
}

// pointer writes a path as a JSON pointer in a URI fragment.
func pointer(path ...string) string {
	var b strings.Builder
	b.WriteByte('#')
	for _, step := range path {
		b.WriteByte('/')
		b.WriteString(pointerEscapes.Replace(step))
	}
	return b.String()
}

// pointerEscapes are those of RFC 6901, and of its fragment form for the
// characters that a configured id field might have.
var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", " ", "%20", `"`, "%22", "#", "%23")

// idFromHeader reads an Idempotency-Key, which is a string of RFC 8941 (in
// quotes) or, as most clients send it, the bare key. Empty quotes are a key of
// no characters, which is not a valid one.
func idFromHeader(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}
