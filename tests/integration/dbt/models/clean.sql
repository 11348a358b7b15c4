select plot, crop, yield_kg from {{ ref('plots') }} where yield_kg is not null
