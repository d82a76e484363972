-- A small shop: four tables sharded by tenant, one the same everywhere. What makes it worth moving:
-- an enum, arrays, jsonb, values that PostgreSQL keeps out of line, a composite key, a key that does
-- not contain the shard key, and a log without any key.

CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'returned');

CREATE TABLE plans (
  id int PRIMARY KEY,
  name text NOT NULL,
  monthly numeric(10, 2) NOT NULL
);

CREATE TABLE tenants (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  plan_id int NOT NULL REFERENCES plans,
  created_at timestamptz NOT NULL,
  version bigint NOT NULL,
  last_op text -- who wrote the row last; null: as it was loaded
);

CREATE SEQUENCE orders_id_seq;
CREATE TABLE orders (
  id bigint PRIMARY KEY DEFAULT nextval('orders_id_seq'),
  tenant_id bigint NOT NULL REFERENCES tenants,
  status order_status NOT NULL,
  amount numeric(12, 2) NOT NULL,
  tags text[] NOT NULL,
  payload jsonb NOT NULL,
  note text, -- some larger than a page
  placed_at timestamptz NOT NULL,
  version bigint NOT NULL,
  last_op text
);
ALTER SEQUENCE orders_id_seq OWNED BY orders.id;
CREATE INDEX orders_tenant_placed ON orders (tenant_id, placed_at);

CREATE TABLE order_items (
  tenant_id bigint NOT NULL,
  order_id bigint NOT NULL REFERENCES orders,
  line_no int NOT NULL,
  product text NOT NULL,
  quantity int NOT NULL,
  price numeric(10, 2) NOT NULL,
  last_op text,
  PRIMARY KEY (tenant_id, order_id, line_no)
);
CREATE INDEX order_items_order ON order_items (order_id);

CREATE TABLE events (
  tenant_id bigint NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  op text NOT NULL,
  detail jsonb NOT NULL
);
CREATE INDEX events_tenant_at ON events (tenant_id, at);

INSERT INTO plans VALUES
  (1, 'free', 0), (2, 'starter', 9.90), (3, 'team', 49), (4, 'enterprise', 499.50);
