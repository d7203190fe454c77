//! What interrupted a meter, out of the store.

use axum::Json;
use axum::extract::State;
use ww_api::Mark;
use ww_store::MarkQuery;

use crate::error::Result;
use crate::parameters::{Parameters, Path};
use crate::readings::meter_of;
use crate::state::Gateway;
use crate::view;

/// Marks in one answer.
const MOST_MARKS: u32 = 500;

/// `GET /api/v1/installations/{id}/marks`.
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Json<Vec<Mark>>> {
    let meter = meter_of(&gateway, &id)?;
    let now = gateway.now();
    let (start, end) = parameters.range(now)?;
    let query = MarkQuery {
        installation: meter.installation,
        start,
        end,
        now,
        patience_ms: view::late_ms(gateway.config.expected_cadence_s),
        limit: MOST_MARKS,
    };
    let marks = gateway.store.marks(query).await?;
    Ok(Json(marks.iter().map(view::mark).collect()))
}
