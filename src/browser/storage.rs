//! The page's store of records, which the loader writes and the tracker empties.

use js_sys::{Array, Promise};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbObjectStore, IdbRequest, IdbTransactionMode};

use super::platform::global;

const DATABASE: &str = "es";
const RECORDS: &str = "records";
const VERSION: u32 = 1;

/// The store, or nothing where the browser denies it; then the loader's journal and memory do.
#[derive(Clone, Debug)]
pub(super) struct Storage(Option<IdbDatabase>);

impl Storage {
    pub(super) async fn open() -> Self {
        Self(Self::try_open().await.ok())
    }

    async fn try_open() -> Result<IdbDatabase, JsValue> {
        let factory = global().indexed_db()?.ok_or(JsValue::UNDEFINED)?;
        let request = factory.open_with_u32(DATABASE, VERSION)?;
        let upgrade = request.clone();
        let create = Closure::once_into_js(move || {
            if let Ok(result) = upgrade.result() {
                // It can only fail if it is there.
                let _ = result.unchecked_into::<IdbDatabase>().create_object_store(RECORDS);
            }
        });
        request.set_onupgradeneeded(Some(create.unchecked_ref()));
        let opened = settle(&request).await?;
        Ok(opened.unchecked_into())
    }

    fn records(&self) -> Result<IdbObjectStore, JsValue> {
        let database = self.0.as_ref().ok_or(JsValue::UNDEFINED)?;
        let mode = IdbTransactionMode::Readwrite;
        database.transaction_with_str_and_mode(RECORDS, mode)?.object_store(RECORDS)
    }

    /// Up to `most` records, oldest first: message id and JSON text.
    pub(super) async fn load(&self, most: u32) -> Vec<(String, String)> {
        self.try_load(most).await.unwrap_or_default()
    }

    async fn try_load(&self, most: u32) -> Result<Vec<(String, String)>, JsValue> {
        let records = self.records()?;
        let everything = JsValue::UNDEFINED;
        let ids = records.get_all_keys_with_key_and_limit(&everything, most)?;
        let texts = records.get_all_with_key_and_limit(&everything, most)?;
        let (ids, texts) = (settle(&ids).await?, settle(&texts).await?);
        let texts = Array::from(&texts);
        let pair = |(index, id): (usize, JsValue)| {
            let text = texts.get(u32::try_from(index).ok()?);
            Some((id.as_string()?, text.as_string()?))
        };
        Ok(Array::from(&ids).iter().enumerate().filter_map(pair).collect())
    }

    /// Removes records that got their verdict.
    pub(super) fn remove(&self, ids: &[String]) {
        let Ok(records) = self.records() else { return };
        for id in ids {
            // A record that stays is sent again and dropped at the edge by its message id.
            let _ = records.delete(&JsValue::from_str(id));
        }
    }

    /// Removes everything.
    pub(super) fn clear(&self) {
        if let Ok(records) = self.records() {
            let _ = records.clear();
        }
    }
}

/// Waits for a request.
async fn settle(request: &IdbRequest) -> Result<JsValue, JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    JsFuture::from(promise).await?;
    request.result()
}
