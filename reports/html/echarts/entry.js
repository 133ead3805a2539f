// The parts of ECharts that the report's figures use, and no others.
import * as echarts from 'echarts/core';
import { CustomChart, HeatmapChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent, TooltipComponent, VisualMapPiecewiseComponent } from 'echarts/components';
import { SVGRenderer } from 'echarts/renderers';

echarts.use([
  CustomChart, HeatmapChart, LineChart, ScatterChart,
  GridComponent, MarkLineComponent, TooltipComponent, VisualMapPiecewiseComponent,
  SVGRenderer,
]);

export const init = echarts.init;
export const version = echarts.version;
export const getInstanceByDom = echarts.getInstanceByDom;
