//! Pictures as PNG: a backend for plotters that draws text in fonts of its own, so that a machine
//! without fonts draws the same, and smooths all edges.
//!
//! Everything is drawn `DRAWN` times as large by plotters' bitmap backend, and then each square of
//! `SMOOTHED`² pixels becomes its mean. Text has the sizes and places that plotters' SVG backend
//! gives it.
use ab_glyph::{Font, FontRef, Glyph, ScaleFont};
use epaint_default_fonts::{HACK_REGULAR, UBUNTU_LIGHT};
use plotters::backend::BitMapBackend;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontFamily, FontTransform, text_anchor,
};

/// Drawn pixels for one of the picture.
const DRAWN: u32 = 4;
/// Drawn pixels for one of the file: screens of today show two for one of a picture.
const SMOOTHED: usize = 2;

type Bitmap<'a> = BitMapBackend<'a>;
type Error = <Bitmap<'static> as DrawingBackend>::ErrorType;
type Drawn = Result<(), DrawingErrorKind<Error>>;

/// Pixels to draw on.
pub(crate) struct Canvas {
    /// `[height · DRAWN, width · DRAWN, 3]`
    pixels: Vec<u8>,
    size: (u32, u32),
}

impl Canvas {
    /// A picture of this size.
    pub fn new((width, height): (u32, u32)) -> Self {
        let len = (width * DRAWN) as usize * (height * DRAWN) as usize * 3;
        Self { pixels: vec![0; len], size: (width * DRAWN, height * DRAWN) }
    }

    /// What plotters draws on.
    pub fn backend(&mut self) -> Raster<'_> {
        let fonts = [UBUNTU_LIGHT, HACK_REGULAR].map(|font| FontRef::try_from_slice(font).ok());
        Raster { inner: Bitmap::with_buffer(&mut self.pixels, self.size), fonts }
    }

    /// The content of a PNG file.
    pub fn to_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let (width, height) = (self.size.0 as usize / SMOOTHED, self.size.1 as usize / SMOOTHED);
        let mut pixels = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for at in 0..width * 3 {
                let (x, channel) = (at / 3, at % 3);
                let square = (0..SMOOTHED * SMOOTHED).map(|i| {
                    let (x, y) = (x * SMOOTHED + i % SMOOTHED, y * SMOOTHED + i / SMOOTHED);
                    usize::from(self.pixels[(y * self.size.0 as usize + x) * 3 + channel])
                });
                pixels.push((square.sum::<usize>() / (SMOOTHED * SMOOTHED)) as u8);
            }
        }
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        encoder.write_header()?.write_image_data(&pixels)?;
        Ok(file)
    }
}

/// The bitmap backend with larger pixels and text of its own.
pub(crate) struct Raster<'a> {
    inner: Bitmap<'a>,
    /// For text, and for code and what the first lacks.
    fonts: [Option<FontRef<'static>>; 2],
}

/// A style with its stroke in drawn pixels.
struct Stroke(BackendColor, u32);

impl BackendStyle for Stroke {
    fn color(&self) -> BackendColor {
        self.0
    }

    fn stroke_width(&self) -> u32 {
        self.1
    }
}

fn stroke(style: &impl BackendStyle) -> Stroke {
    Stroke(style.color(), style.stroke_width() * DRAWN)
}

fn large((x, y): BackendCoord) -> BackendCoord {
    (x * DRAWN as i32, y * DRAWN as i32)
}

impl DrawingBackend for Raster<'_> {
    type ErrorType = Error;

    fn get_size(&self) -> (u32, u32) {
        let (width, height) = self.inner.get_size();
        (width / DRAWN, height / DRAWN)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        self.inner.ensure_prepared()
    }

    fn present(&mut self) -> Drawn {
        self.inner.present()
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect(point, (point.0 + 1, point.1 + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, a: BackendCoord, b: BackendCoord, style: &S) -> Drawn {
        self.inner.draw_path([large(a), large(b)], &stroke(style))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        a: BackendCoord,
        b: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        if fill {
            return self.inner.draw_rect(large(a), large(b), &stroke(style), true);
        }
        self.draw_path([a, (b.0, a.1), b, (a.0, b.1), a], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        self.inner.draw_path(path.into_iter().map(large), &stroke(style))
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        self.inner.draw_circle(large(center), radius * DRAWN, &stroke(style), fill)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        self.inner.fill_polygon(path.into_iter().map(large), &stroke(style))
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        let em = (style.size() / 1.24) as f32 * DRAWN as f32;
        let monospace = matches!(style.family(), FontFamily::Monospace);
        let (glyphs, width) = self.line(text, em, monospace);
        let left = match style.anchor().h_pos {
            text_anchor::HPos::Left => 0.0,
            text_anchor::HPos::Center => -width / 2.0,
            text_anchor::HPos::Right => -width,
        };
        let down = em
            * match style.anchor().v_pos {
                text_anchor::VPos::Top => 0.76,
                text_anchor::VPos::Center => 0.27,
                text_anchor::VPos::Bottom => -0.27,
            };
        for (font, glyph) in glyphs {
            self.glyph(font, glyph, [left, down], (style.transform(), style.color(), large(at)))?;
        }
        Ok(())
    }
}

impl Raster<'_> {
    /// The glyphs of a line with their fonts, from (0, 0) on, and its width. What no font has is
    /// left out.
    fn line(&self, text: &str, em: f32, monospace: bool) -> (Vec<(usize, Glyph)>, f32) {
        let order = if monospace { [1, 0] } else { [0, 1] };
        let (mut glyphs, mut x) = (Vec::new(), 0.0);
        for c in text.chars() {
            let has = |i: &&usize| self.fonts[**i].as_ref().is_some_and(|f| f.glyph_id(c).0 != 0);
            let Some(&index) = order.iter().find(has) else { continue };
            let Some(font) = &self.fonts[index] else { continue };
            let scale = em * font.height_unscaled() / font.units_per_em().unwrap_or(1000.0);
            let id = font.glyph_id(c);
            glyphs.push((index, id.with_scale_and_position(scale, ab_glyph::point(x, 0.0))));
            x += font.as_scaled(scale).h_advance(id);
        }
        (glyphs, x)
    }

    fn glyph(
        &mut self,
        font: usize,
        glyph: Glyph,
        [left, down]: [f32; 2],
        (turn, color, at): (FontTransform, BackendColor, BackendCoord),
    ) -> Drawn {
        let outline = self.fonts[font].as_ref().and_then(|font| font.outline_glyph(glyph));
        let Some(outline) = outline else { return Ok(()) };
        let corner = outline.px_bounds().min;
        let (x0, y0) = ((corner.x + left).round() as i32, (corner.y + down).round() as i32);
        let mut result = Ok(());
        outline.draw(|x, y, cover| {
            let (x, y) = turn.transform(x0 + x as i32, y0 + y as i32);
            let color = color.mix(f64::from(cover.clamp(0.0, 1.0)));
            if result.is_ok() && color.alpha > 0.0 {
                result = self.inner.draw_pixel((at.0 + x, at.1 + y), color);
            }
        });
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plotters::prelude::*;

    /// How many pixels of the file a text makes dark.
    fn dark(text: &str, family: &str, turned: bool) -> usize {
        let mut canvas = Canvas::new((100, 40));
        {
            let root = canvas.backend().into_drawing_area();
            root.fill(&WHITE).unwrap();
            let mut font = (family, 20).into_font();
            if turned {
                font = font.transform(FontTransform::Rotate270);
            }
            root.draw(&Text::new(text.to_owned(), (8, if turned { 36 } else { 10 }), font))
                .unwrap();
        }
        let file = canvas.to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (200, 80));
        pixels.chunks_exact(3).filter(|p| p[1] < 128).count()
    }

    #[test]
    fn text_appears_without_any_font_of_the_machine() {
        assert_eq!(dark("", "sans-serif", false), 0);
        assert!(dark("loss", "sans-serif", false) > 100);
        assert!(dark("loss", "monospace", false) > 100);
        assert!(dark("lo", "sans-serif", true) > 50);
        // An arrow that the first font lacks.
        assert!(dark("\u{21b5}", "sans-serif", false) > 20);
    }
}
