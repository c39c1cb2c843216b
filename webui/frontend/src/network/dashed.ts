/** Draws a suggested tie as a dashed line: the library's straight line, cut by its length on the screen. */
import { EdgeRectangleProgram } from "sigma/rendering";

const DASH = "9.0";
const PERIOD = "15.0";

export class DashedEdgeProgram extends EdgeRectangleProgram {
  override getDefinition() {
    const definition = super.getDefinition();
    return {
      ...definition,
      VERTEX_SHADER_SOURCE: definition.VERTEX_SHADER_SOURCE.replace(
        "void main() {",
        `varying float v_along;
        void main() {
          v_along = a_positionCoef * distance(a_positionStart, a_positionEnd) / u_correctionRatio;`,
      ),
      FRAGMENT_SHADER_SOURCE: definition.FRAGMENT_SHADER_SOURCE.replace(
        /void main\s*\(\s*void\s*\)\s*\{|void main\s*\(\s*\)\s*\{/,
        `varying float v_along;
        void main(void) {
          #ifndef PICKING_MODE
          if (mod(v_along, ${PERIOD}) > ${DASH}) discard;
          #endif`,
      ),
    };
  }
}
