//! Values that are numbers and are shown by names: objects of the catalog, and the values of enums.

use crate::analysis::tree::{Call, Expr};
use crate::catalog::TypeId;
use crate::sqlite::expr::object_kind;
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::Position;
use crate::user_type::definition_of;

impl Printer<'_> {
    /// The number of what is printed, which is a name.
    pub(crate) fn number_of_name(
        &mut self,
        id: TypeId,
        print: impl FnOnce(&mut Self) -> Result,
    ) -> Result {
        if let Some(kind) = object_kind(id) {
            let name = format!("pg_{kind}in");
            self.note_look_up(&name);
            self.push(&name);
            self.push("(");
            print(self)?;
        } else {
            self.push("pg_enum_in(");
            print(self)?;
            self.push(", ");
            self.labels(id)?;
            self.push(", ");
            self.text(&id.name());
        }
        self.push(")");
        Ok(())
    }

    /// The name of a number.
    pub(crate) fn name_of_number(
        &mut self,
        id: TypeId,
        value: &Expr,
        print: impl FnOnce(&mut Self, &Expr) -> Result,
    ) -> Result {
        if let Some(kind) = object_kind(id) {
            return self.look_up(&format!("pg_{kind}out"), value, print);
        }
        self.push("pg_enum_out(");
        print(self, value)?;
        self.push(", ");
        self.labels(id)?;
        self.push(")");
        Ok(())
    }

    /// The labels of an enum as they are when the statement runs: a definition, which can't ask, must do without.
    fn labels(&mut self, id: TypeId) -> Result {
        if self.definition {
            let what = format!("a label of type {} in a definition", id.name());
            return Err(self.unsupported(Position::default(), what));
        }
        self.push(&definition_of(id));
        Ok(())
    }

    /// `enum_first` and `enum_last` of any value of a type.
    pub(crate) fn edge(&mut self, call: &Call) -> Result {
        let id = call
            .arguments
            .first()
            .map_or(TypeId::UNKNOWN, |any| any.ty.id);
        let name = call.function.name;
        self.push(&format!("pg_{name}_of("));
        self.labels(id)?;
        self.push(")");
        Ok(())
    }
}
