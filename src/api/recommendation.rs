//! Product recommendations for a contact.

use super::{
    macros::{endpoint, shape},
    shape::{Commas, Decimal, Reader},
};
use crate::{
    problem::Code,
    value::{Value, is_blank},
};

shape! {
    /// A recommended product.
    Recommended {
        /// Its id.
        opt id: String = "id",
        /// Its name.
        opt name: String = "name",
        /// Its page.
        opt url: String = "url",
        /// Its price.
        opt price: Decimal = "price",
        /// Its description.
        opt description: String = "descr",
        /// Its brand.
        opt brand: String = "brand",
        /// Its categories.
        opt category: Vec<String> = "category",
        /// 1 if it is in stock, 0 if not.
        opt in_stock: i32 = "isInStock",
    }
}

endpoint! {
    /// Recommends products to a contact; how many, the data source says.
    Recommend = "contactRecoms", Recommendations, Get "/v2/contacts/recoms/{dataSourceId}", Shared, Reads => Vec<Recommended> {
        /// The data source's id.
        path data_source_id: i32 = "dataSourceId",
        /// The contact's id.
        query contact_id: i64 = "contactId",
        /// The e-mail address.
        query email: String = "email",
        /// The phone number.
        query phone: String = "phone",
        /// The shop's own id.
        query external_customer_id: String = "externalCustomerId",
        /// The web id.
        query web_id: String = "webId",
        /// Products that the recommendation is about.
        query products: Commas<String> = "products",
        /// The category that the recommendation is about.
        query category: String = "category",
    }
    ; check check_recommend
}

fn check_recommend(call: &Recommend, reader: &mut Reader) {
    let who = [&call.email, &call.phone, &call.external_customer_id, &call.web_id];
    if call.contact_id.is_none() && !who.into_iter().flatten().any(|text| !is_blank(text)) {
        let fix = "give one of contactId, externalCustomerId, email, phone, webId";
        reader.fail_at("webId", Code::MissingField, fix);
    }
}

endpoint! {
    /// Recommends products to the contact whose token goes along; how many, the data source says.
    ///
    /// It is no operation of the REST API, but of the one that takes tokens of contacts.
    RecommendByToken = "contactApiRecoms", Recommendations, Get "/v1/recoms/{dataSourceId}", ContactApi, Reads => Value {
        /// The data source's id.
        path data_source_id: i32 = "dataSourceId",
        /// Products that the recommendation is about.
        query products: Commas<String> = "products",
        /// The category that the recommendation is about.
        query category: String = "category",
    }
}

shape! {
    /// What a variant is to recommend.
    #[derive(Default)]
    VariantRequest {
        /// Products that the recommendation is about.
        opt products: Vec<String> = "products",
        /// The category that the recommendation is about.
        opt category: String = "category",
        /// The members of products that are wanted; all if there are none.
        opt fields: Vec<String> = "fields",
        /// What products must have.
        opt filters: Vec<VariantFilter> = "filters",
    }
}

shape! {
    /// A member of products, and the values of which it must have one.
    VariantFilter {
        /// The member.
        req name: String = "name",
        /// The values.
        req values: Vec<String> = "values",
    }
}

endpoint! {
    /// Recommends products of a variant.
    ///
    /// It is no operation of the REST API, but of the one that apps call, with a key of its own.
    RecommendVariant = "recomsRequest", Recommendations, Post "/v1/recoms/{recomVariantId}/request", MobileApi, Reads => Value {
        /// The variant's id.
        path variant: String = "recomVariantId",
        /// What it is to recommend.
        body request: VariantRequest,
    }
}
