{{ config(materialized='table') }}
select crop, sum(yield_kg) as total_kg, count(*) as plots from {{ ref('clean') }} group by crop
