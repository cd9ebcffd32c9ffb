-- The order of the columns is that of side/rows.rs. Of a file that is held all but the first three are null.
create temp table apple_health_routes (
  id         uuid not null,
  path       text not null,
  bytes      integer not null,
  creator    text,
  name       text,
  start_at   timestamptz,
  end_at     timestamptz,
  points     integer,
  segments   integer[],
  point_at   timestamptz[],
  lat        double precision[],
  lon        double precision[],
  ele_m      double precision[],
  speed_m_s  double precision[],
  course_deg double precision[],
  h_acc_m    double precision[],
  v_acc_m    double precision[],
  others     jsonb
)
