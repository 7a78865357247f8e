//! Orders.

use super::{
    answer::Undocumented,
    macros::{choice, endpoint, shape},
    shape::{Decimal, Reader},
    text::Currency,
    time::DateTime,
};
use crate::{
    problem::Code,
    value::{Value, is_blank},
};

/// Most orders of one call.
pub const MAX_ORDERS: usize = 1000;

choice! {
    /// How far an order is. Each makes the event `order` with its name behind.
    OrderStatus {
        /// Placed.
        Initialized = "INITIALIZED",
        /// Under way.
        InProgress = "IN_PROGRESS",
        /// Delivered: the only one that counts as revenue.
        Delivered = "DELIVERED",
        /// Cancelled.
        Cancelled = "CANCELLED",
        /// Never placed.
        AbandonedShoppingCart = "ABANDONED_SHOPPING_CART",
    }
}

shape! {
    /// An order. The same `externalOrderId` again updates it.
    Order check check_order {
        /// The shop's own id of it.
        need external_order_id: String = "externalOrderId",
        /// The shop's own id of the contact; this, the e-mail address or the phone number is needed.
        opt external_customer_id: String = "externalCustomerId",
        /// What it costs in all, which should be the sum of the items.
        need total_cost: Decimal = "totalCost",
        /// How far it is.
        need status: OrderStatus = "status",
        /// When it was placed, with an offset from UTC.
        need date: DateTime = "date",
        /// The currency.
        need currency: Currency = "currency",
        /// The contact's e-mail address.
        opt email: String = "email",
        /// The contact's phone number.
        opt phone: String = "phone",
        /// The contact's first name.
        opt first_name: String = "firstName",
        /// The contact's last name.
        opt last_name: String = "lastName",
        /// What shipping costs.
        opt shipping: Decimal = "shipping",
        /// What was taken off.
        opt discount: Decimal = "discount",
        /// Taxes.
        opt taxes: Decimal = "taxes",
        /// A link back to the cart.
        opt restore_url: String = "restoreUrl",
        /// More about how far it is.
        opt status_description: String = "statusDescription",
        /// The shop, where an account has several.
        opt store_id: String = "storeId",
        /// `online` or `offline`; anything else counts as online.
        opt source: String = "source",
        /// How it is delivered.
        opt delivery_method: String = "deliveryMethod",
        /// How it is paid.
        opt payment_method: String = "paymentMethod",
        /// Where it goes.
        opt delivery_address: String = "deliveryAddress",
        /// Anything else, kept as it is.
        opt additional_info: Value = "additionalInfo",
        /// What was ordered.
        opt items: Vec<OrderItem> = "items",
    }
}

fn check_order(order: &Order, reader: &mut Reader) {
    if reader.is_answer() {
        return;
    }
    let who = [&order.external_customer_id, &order.email, &order.phone];
    if !who.into_iter().flatten().any(|text| !is_blank(text)) {
        let fix = "give one of externalCustomerId, email, phone";
        reader.fail_at("externalCustomerId", Code::MissingField, fix);
    }
    if let Some(date) = &order.date {
        date.check_offset("date", reader);
    }
}

shape! {
    /// A product of an order.
    OrderItem {
        /// The product's id.
        need external_item_id: String = "externalItemId",
        /// Its name.
        opt name: String = "name",
        /// Its category.
        opt category: String = "category",
        /// How many.
        need quantity: Decimal = "quantity",
        /// What one costs after what was taken off.
        opt cost: Decimal = "cost",
        /// Its page.
        opt url: String = "url",
        /// Its picture.
        opt image_url: String = "imageUrl",
        /// Its description.
        opt description: String = "description",
    }
}

shape! {
    /// Orders to create or update.
    Orders check check_orders {
        /// The orders, 1 to 1000.
        req orders: Vec<Order> = "orders",
    }
}

fn check_orders(orders: &Orders, reader: &mut Reader) {
    if orders.orders.is_empty() {
        reader.fail_at("orders", Code::MissingField, "give at least one order");
    }
    let fix = "send at most 1000 orders at a time";
    reader.most("orders", orders.orders.len(), MAX_ORDERS, fix);
}

shape! {
    /// The orders that were refused; none is success.
    FailedOrders {
        /// The orders.
        opt failed_orders: Vec<FailedOrder> = "failedOrders",
    }
}

shape! {
    /// An order that was refused.
    FailedOrder {
        /// The order.
        opt order: Order = "order",
        /// The platform's reason.
        opt error: String = "error",
    }
}

endpoint! {
    /// Creates or updates up to 1000 orders; each makes an event of its status.
    ///
    /// An unknown contact is made, a known one is left as it is.
    AddOrders = "ordersBulkInsert", Orders, Post "/v1/orders", Shared, Same => FailedOrders {
        /// The orders.
        body orders: Orders,
    }
    ; split split_orders
}

fn split_orders(call: &AddOrders) -> Option<Vec<AddOrders>> {
    let parts = call.orders.orders.chunks(MAX_ORDERS);
    if parts.len() < 2 {
        return None;
    }
    let part = |part: &[Order]| AddOrders {
        orders: Orders { orders: part.to_vec(), other: call.orders.other.clone() },
    };
    Some(parts.map(part).collect())
}

endpoint! {
    /// Deletes one order, or those of at most 24 hours; the platform does it later.
    DeleteOrders = "removeOrders", Orders, Delete "/v1/orders", Shared, Same => Undocumented {
        /// The shop's own id of the order.
        query external_order_id: String = "externalOrderId",
        /// From when, in UTC.
        query from: DateTime = "from",
        /// Until when, in UTC.
        query to: DateTime = "to",
    }
    ; check check_delete
}

fn check_delete(call: &DeleteOrders, reader: &mut Reader) {
    match (&call.external_order_id, &call.from, &call.to) {
        (Some(_), None, None) => {}
        (None, Some(from), Some(to)) => {
            let fix = "give a period of at most 24 hours";
            from.check_period(to, 1, "to", fix, reader);
        }
        (None, None, None) => {
            let fix = "give the order's id, or from and to";
            reader.fail_at("externalOrderId", Code::MissingField, fix);
        }
        _ => {
            let fix = "give the order's id alone, or from and to together";
            reader.fail_at("externalOrderId", Code::Conflict, fix);
        }
    }
}
