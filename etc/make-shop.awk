# The sample shop; run by make-shop.sh. Numbers are whole everywhere (money in cents, time in
# seconds since 2000-01-01), so that every awk computes the same.

BEGIN {
    CUSTOMERS = 2000; PRODUCTS = 500; ORDERS = 20000; LINES = 60000
    OPENED = day_number(2022, 3, 1) * 86400         # the first customer
    FIRST_ORDER = day_number(2023, 1, 2) * 86400
    LAST_ORDER = day_number(2026, 6, 30) * 86400
    seed = 20260630
    words()
    tables()
    countries()
    categories()
    suppliers()
    products()
    customers()
    orders()
    lines()
    payments()
    sequences()
    constraints()
    views()
    exit 0
}

# ---- chance: Lehmer's generator, x' = 16807 x mod (2^31 - 1) (Park and Miller, 1988)

function random(below) {
    seed = (seed * 16807) % 2147483647
    return seed % below
}
function between(low, high) { return low + random(high - low + 1) }
# Small numbers are more likely, as with things that sell well.
function skewed(below,   a, b) { a = random(below); b = random(below); return a < b ? a : b }
function pick(list, count) { return list[1 + random(count)] }
function chance(percent) { return random(100) < percent }

# ---- calendar, see Hinnant, "chrono-Compatible Low-Level Date Algorithms"

function whole(x) { return int(x) }
function day_number(y, m, d,   era, yoe, doy) {
    if (m <= 2) y--
    era = whole(y / 400); yoe = y - era * 400
    doy = whole((153 * ((m + 9) % 12) + 2) / 5) + d - 1
    return era * 146097 + yoe * 365 + whole(yoe / 4) - whole(yoe / 100) + doy - 730425
}
function date(days,   z, era, doe, yoe, doy, mp, y, m) {
    z = days + 730425
    era = whole(z / 146097); doe = z - era * 146097
    yoe = whole((doe - whole(doe / 1460) + whole(doe / 36524) - whole(doe / 146096)) / 365)
    doy = doe - (365 * yoe + whole(yoe / 4) - whole(yoe / 100))
    mp = whole((5 * doy + 2) / 153)
    m = mp < 10 ? mp + 3 : mp - 9
    y = yoe + era * 400 + (m <= 2)
    return sprintf("%04d-%02d-%02d", y, m, doy - whole((153 * mp + 2) / 5) + 1)
}
function moment(seconds,   days, rest) {
    days = whole(seconds / 86400); rest = seconds - days * 86400
    return sprintf("%s %02d:%02d:%02d", date(days), whole(rest / 3600), whole(rest / 60) % 60, rest % 60)
}
function money(cents) { return sprintf("%d.%02d", whole(cents / 100), cents % 100) }

# ---- words

function words() {
    FIRST = split("Ada Aino Alba Amir Anna Ben Bruno Carla Chloé Clara Dario David Edith Elif Emil Eva " \
        "Felix Fiona Greta Hanna Hugo Ida Ines Iris Ivan Jakub Jana João Jonas Karin Lars Laura Léa " \
        "Leon Lina Luca Mara Marta Mateo Mila Nils Nora Olga Oskar Paula Petra Rasmus Rosa Sara Sofia " \
        "Søren Stella Tom Uwe Vera Viktor Wim Yara Zoé Živa", first, " ")
    LAST = split("Adler Almeida Andersen Bauer Becker Bianchi Blanc Borg Brandt Castro Conti Costa Dahl " \
        "Dubois Eriksen Faure Ferrari Fischer Fontana García Hansen Horváth Jansen Jensen Kaiser Keller " \
        "Korhonen Kovač Lang Larsen Lefèvre Lindqvist López Maier Martins Meyer Moreau Müller Nagy Novák " \
        "Olsen Peeters Pereira Popescu Ricci Rossi Roth Ruiz Schmid Silva Smit Sørensen Svoboda Tóth " \
        "Vogel Wagner Weber Winter Wójcik Zimmermann", last, " ")
    STREET = split("Mill Lane|Station Road|Church Street|Garden Way|Market Square|Harbour Road|Oak Avenue|" \
        "School Lane|River Street|Hill Road|Park Street|Castle Way", street, "|")
    NOTES = split("Please ring twice.|Leave it with the neighbours.|A gift: no invoice in the parcel.|" \
        "Deliver after five o'clock.|Call before you come.|The yard gate is open.|" \
        "Second floor, no lift.|Thank you, \"as always\"!", note, "|")
}

# ---- tables

function tables() {
    print "-- A mail-order shop for house, garden and workshop. Made by etc/make-shop.sh."
    print "SET client_encoding = 'UTF8';"
    print "SET standard_conforming_strings = on;"
    print "SET client_min_messages = warning;"
    print ""
    print "CREATE TABLE country ("
    print "    code char(2) NOT NULL,"
    print "    name varchar(40) NOT NULL,"
    print "    currency char(3) NOT NULL,"
    print "    vat_percent numeric(4,2) NOT NULL,"
    print "    postage numeric(6,2) NOT NULL,"
    print "    eu boolean DEFAULT false NOT NULL"
    print ");"
    print ""
    print "CREATE TABLE category ("
    print "    id serial,"
    print "    parent_id integer,"
    print "    name varchar(40) NOT NULL,"
    print "    position smallint DEFAULT 0 NOT NULL,"
    print "    return_period interval DEFAULT '30 days' NOT NULL"
    print ");"
    print ""
    print "CREATE TABLE supplier ("
    print "    id serial,"
    print "    name varchar(60) NOT NULL,"
    print "    country_code char(2) NOT NULL,"
    print "    rating real,"
    print "    since date NOT NULL"
    print ");"
    print ""
    print "CREATE TABLE product ("
    print "    id serial,"
    print "    category_id integer NOT NULL,"
    print "    supplier_id integer NOT NULL,"
    print "    sku varchar(12) NOT NULL,"
    print "    name text NOT NULL,"
    print "    price numeric(10,2) NOT NULL,"
    print "    cost numeric(10,2) NOT NULL,"
    print "    weight_kg double precision,"
    print "    stock integer DEFAULT 0 NOT NULL,"
    print "    active boolean DEFAULT true NOT NULL,"
    print "    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,"
    print "    label bytea,"
    print "    listed_on date DEFAULT CURRENT_DATE NOT NULL,"
    print "    CONSTRAINT product_price_check CHECK (price >= 0 AND cost >= 0)"
    print ");"
    print ""
    print "CREATE TABLE customer ("
    print "    id serial,"
    print "    token uuid NOT NULL,"
    print "    name varchar(80) NOT NULL,"
    print "    email varchar(80) NOT NULL,"
    print "    street text,"
    print "    postcode varchar(10),"
    print "    city varchar(40) NOT NULL,"
    print "    country_code char(2) NOT NULL,"
    print "    born_on date,"
    print "    newsletter boolean DEFAULT false NOT NULL,"
    print "    credit_limit numeric(12,2),"
    print "    created_at timestamp with time zone DEFAULT now() NOT NULL"
    print ");"
    print ""
    print "CREATE TABLE orders ("
    print "    id bigserial,"
    print "    customer_id integer NOT NULL,"
    print "    placed_at timestamp with time zone DEFAULT now() NOT NULL,"
    print "    state text DEFAULT 'open' NOT NULL,"
    print "    discount_percent numeric(5,2) DEFAULT 0 NOT NULL,"
    print "    postage numeric(6,2) DEFAULT 0 NOT NULL,"
    print "    shipped_on date,"
    print "    deliver_after time without time zone,"
    print "    note text,"
    print "    CONSTRAINT orders_state_check CHECK (state IN ('open', 'paid', 'shipped', 'delivered', 'returned', 'cancelled'))"
    print ");"
    print ""
    print "CREATE TABLE order_line ("
    print "    order_id bigint NOT NULL,"
    print "    line smallint NOT NULL,"
    print "    product_id integer NOT NULL,"
    print "    quantity integer NOT NULL,"
    print "    unit_price numeric(10,2) NOT NULL,"
    print "    CONSTRAINT order_line_quantity_check CHECK (quantity > 0)"
    print ");"
    print ""
    print "CREATE TABLE payment ("
    print "    id bigserial,"
    print "    order_id bigint NOT NULL,"
    print "    method varchar(12) NOT NULL,"
    print "    amount numeric(12,2) NOT NULL,"
    print "    booked_at timestamp without time zone NOT NULL"
    print ");"
    print ""
}

# ---- rows

function countries(   count, rows, i, part) {
    # code|name|currency|VAT|postage in cents|in the EU|weight|cities|pattern of a postcode
    count = split("AT|Austria|EUR|20.00|690|t|9|Wien,Graz,Linz,Salzburg,Innsbruck|9999;" \
        "BE|Belgium|EUR|21.00|690|t|6|Antwerpen,Gent,Liège,Brugge|9999;" \
        "CH|Switzerland|CHF|8.10|1290|f|7|Zürich,Bern,Basel,Genève,Luzern|9999;" \
        "CZ|Czechia|CZK|21.00|790|t|5|Praha,Brno,Ostrava,Plzeň|999 99;" \
        "DE|Germany|EUR|19.00|490|t|26|Berlin,Hamburg,München,Köln,Stuttgart,Leipzig,Bremen|99999;" \
        "DK|Denmark|DKK|25.00|790|t|5|København,Aarhus,Odense|9999;" \
        "EE|Estonia|EUR|22.00|990|t|2|Tallinn,Tartu|99999;" \
        "ES|Spain|EUR|21.00|890|t|9|Madrid,Sevilla,Bilbao,València|99999;" \
        "FI|Finland|EUR|25.50|990|t|4|Helsinki,Tampere,Turku|99999;" \
        "FR|France|EUR|20.00|690|t|14|Paris,Lyon,Nantes,Lille,Bordeaux|99999;" \
        "GB|United Kingdom|GBP|20.00|1190|f|12|London,Leeds,Bristol,Cardiff,Glasgow|AA9 9AA;" \
        "GR|Greece|EUR|24.00|1090|t|3|Athína,Pátra|999 99;" \
        "HR|Croatia|EUR|25.00|890|t|3|Zagreb,Split,Rijeka|99999;" \
        "HU|Hungary|HUF|27.00|790|t|4|Budapest,Szeged,Pécs|9999;" \
        "IE|Ireland|EUR|23.00|1190|t|3|Dublin,Cork,Galway|A99 AA99;" \
        "IT|Italy|EUR|22.00|790|t|11|Roma,Milano,Torino,Bologna,Napoli|99999;" \
        "LU|Luxembourg|EUR|17.00|690|t|1|Luxembourg,Esch|9999;" \
        "NL|Netherlands|EUR|21.00|590|t|9|Utrecht,Rotterdam,Groningen,Leiden|9999 AA;" \
        "NO|Norway|NOK|25.00|1390|f|4|Oslo,Bergen,Trondheim|9999;" \
        "PL|Poland|PLN|23.00|690|t|8|Warszawa,Kraków,Gdańsk,Łódź|99-999;" \
        "PT|Portugal|EUR|23.00|890|t|4|Lisboa,Porto,Braga|9999-999;" \
        "RO|Romania|RON|21.00|890|t|3|București,Cluj,Iași|999999;" \
        "SE|Sweden|SEK|25.00|890|t|6|Stockholm,Göteborg,Malmö,Uppsala|999 99;" \
        "SI|Slovenia|EUR|22.00|790|t|2|Ljubljana,Maribor|9999", rows, ";")
    COUNTRIES = count
    print "INSERT INTO country (code, name, currency, vat_percent, postage, eu) VALUES"
    for (i = 1; i <= count; i++) {
        split(rows[i], part, "|")
        code[i] = part[1]; postage[i] = part[5]; cities[i] = part[8]; pattern[i] = part[9]
        WEIGHT += part[7]; weight[i] = part[7]
        printf "    ('%s', '%s', '%s', %s, %s, %s)%s\n", part[1], part[2], part[3], part[4], \
            money(part[5]), (part[6] == "t" ? "true" : "false"), (i < count ? "," : ";")
    }
    print ""
}

function category(parent, name, position, period) {
    CATEGORIES++
    printf "INSERT INTO category (id, parent_id, name, position, return_period) VALUES (%d, %s, '%s', %d, '%s');\n", \
        CATEGORIES, (parent ? parent : "NULL"), name, position, period
    return CATEGORIES
}

# Leaf categories: prices in cents, weight in grams, the things in them, what those are made of.
function leaf(parent, name, position, low, high, grams, things, materials,   id) {
    id = category(parent, name, position, parent == GARDEN ? "14 days" : "30 days")
    LEAVES++
    leaf_id[LEAVES] = id; leaf_low[LEAVES] = low; leaf_high[LEAVES] = high
    leaf_grams[LEAVES] = grams; leaf_things[LEAVES] = things
    leaf_materials[LEAVES] = materials
}

function categories(   house, workshop) {
    house = category(0, "House", 1, "30 days")
    GARDEN = category(0, "Garden", 2, "14 days")
    workshop = category(0, "Workshop", 3, "1 mon 15 days")
    leaf(house, "Kitchen", 1, 390, 14900, 700, "Saucepan,Colander,Bread Knife,Kettle,Chopping Board,Whisk,Mixing Bowl,Teapot",
        "steel,copper,enamel,beech,cast iron")
    leaf(house, "Lamps", 2, 1490, 24900, 1800, "Desk Lamp,Floor Lamp,Pendant Lamp,Night Light,Reading Lamp,Lantern",
        "brass,steel,glass,linen,oak")
    leaf(house, "Linen", 3, 890, 9900, 600, "Bath Towel,Pillowcase,Duvet Cover,Tablecloth,Tea Towel,Blanket",
        "linen,cotton,wool")
    leaf(house, "Storage", 4, 490, 18900, 2400, "Box,Basket,Coat Rack,Shelf,Shoe Bench,Drawer Insert",
        "oak,ash,steel,willow,felt")
    leaf(GARDEN, "Hand Tools", 1, 690, 7900, 900, "Trowel,Pruner,Rake,Spade,Hoe,Watering Can,Dibber,Fork",
        "steel,stainless steel,ash")
    leaf(GARDEN, "Seeds and Bulbs", 2, 190, 1290, 30, "Tomato Seed,Sunflower Seed,Tulip Bulbs,Herb Mix,Bean Seed,Wildflower Mix,Crocus Bulbs",
        "organic,untreated")
    leaf(GARDEN, "Pots", 3, 290, 6900, 3100, "Clay Pot,Hanging Basket,Planter,Saucer,Window Box",
        "clay,stoneware,zinc,willow")
    leaf(GARDEN, "Outdoor Living", 4, 1990, 59900, 8200, "Bench,Folding Chair,Parasol,Fire Bowl,Hammock,Bird House",
        "oak,larch,steel,cotton")
    leaf(workshop, "Hammers and Chisels", 1, 990, 8900, 800, "Claw Hammer,Mallet,Bench Chisel,Cold Chisel,Nail Set",
        "steel,beech,chrome vanadium")
    leaf(workshop, "Measuring", 2, 390, 12900, 300, "Steel Rule,Try Square,Spirit Level,Calliper,Tape Measure,Marking Gauge",
        "steel,brass,rosewood")
    leaf(workshop, "Power Tools", 3, 3990, 49900, 3600, "Cordless Drill,Jigsaw,Belt Sander,Router,Circular Saw,Heat Gun",
        "18 volt,230 volt")
    leaf(workshop, "Fixings", 4, 150, 2490, 500, "Wood Screws,Wall Plugs,Wing Nuts,Brass Hinges,Cable Ties,Coach Bolts,Hooks",
        "steel,brass,nylon,stainless steel")
    print ""
}

function suppliers(   count, names, i) {
    count = split("Nordhang Metallwaren|Atelier du Vallon|Bottega Quercia|Hazel & Thorn|Werkhof Sieben|" \
        "Casa Oliveira|Kvist Design|De Blauwe Schuur|Horvát Kerámia|Białe Pole|Lampenfabrik Ost|" \
        "O'Dowd Tools|Sjöstrand Textil|Terra Rossa|Mlýn Dřevo|Pilkington & Rowe", names, "|")
    SUPPLIERS = count
    print "COPY supplier (id, name, country_code, rating, since) FROM stdin;"
    for (i = 1; i <= count; i++)
        printf "%d\t%s\t%s\t%s\t%s\n", i, names[i], code[1 + random(COUNTRIES)], \
            (i % 6 == 0 ? "\\N" : sprintf("%d.%d", between(2, 4), random(10))), date(between(3700, 8900))
    print "\\."
    print ""
}

function products(   i, l, count, things, adjectives, materials, colours, a, m, c, thing, name, used, cents, tries) {
    a = split("Classic Small Large Sturdy Simple Light Double Everyday Fine Long Short Handmade", adjectives, " ")
    c = split("white black green blue grey red ochre natural", colours, " ")
    print "COPY product (id, category_id, supplier_id, sku, name, price, cost, weight_kg, stock, active, attributes, label, listed_on) FROM stdin;"
    for (i = 1; i <= PRODUCTS; i++) {
        l = 1 + (i - 1) % LEAVES
        count = split(leaf_things[l], things, ",")
        m = split(leaf_materials[l], materials, ",")
        tries = 0
        do {
            thing = things[1 + random(count)]
            name = pick(adjectives, a) " " thing (tries++ > 6 ? " No. " between(2, 9) : "")
        } while (name in used)
        used[name] = 1
        # Prices end in 9: 4.99, 23.49.
        cents = leaf_low[l] + skewed(leaf_high[l] - leaf_low[l])
        cents = whole(cents / 10) * 10 + 9
        price[i] = cents
        # Most were there from the beginning; the others came one after the other.
        listed[i] = i <= 350 ? between(5500, 8390) : 8400 + (i - 350) * 8 + random(8)
        printf "%d\t%d\t%d\t%s-%05d\t%s\t%s\t%s\t%s\t%d\t%s\t{\"colour\": \"%s\"%s, \"material\": \"%s\"}\t%s\t%s\n", \
            i, leaf_id[l], 1 + random(SUPPLIERS), substr(toupper(thing), 1, 3), 10000 + i * 37, name, \
            money(cents), money(whole(cents * between(35, 70) / 100)), \
            (i % 41 == 0 ? "\\N" : kilograms(whole(leaf_grams[l] * between(50, 200) / 100))), \
            (chance(6) ? 0 : between(1, 900)), (chance(93) ? "t" : "f"), pick(colours, c), \
            (chance(20) ? ", \"pieces\": " between(2, 24) : ""), pick(materials, m), (i % 5 ? "\\N" : "\\\\x" hex(6)), date(listed[i])
    }
    print "\\."
    print ""
}
function kilograms(grams,   text) {
    text = sprintf("%d.%03d", whole(grams / 1000), grams % 1000)
    sub(/0+$/, "", text); sub(/\.$/, "", text)
    return text
}
function hex(bytes,   text) {
    while (bytes-- > 0) text = text sprintf("%02x", random(256))
    return text
}

function customers(   i, place, count, city, given, family, email, seconds, r) {
    print "COPY customer (id, token, name, email, street, postcode, city, country_code, born_on, newsletter, credit_limit, created_at) FROM stdin;"
    for (i = 1; i <= CUSTOMERS; i++) {
        r = random(WEIGHT)
        for (place = 1; (r -= weight[place]) >= 0; place++) ;
        count = split(cities[place], city, ",")
        given = pick(first, FIRST); family = pick(last, LAST)
        email = ascii(given) "." ascii(family) i "@example." (chance(70) ? "com" : "org")
        # Registrations get more frequent: the square root of an even spread.
        seconds = OPENED + whole((LAST_ORDER - 86400 - OPENED) * sqrt_of(i / CUSTOMERS)) - random(40000)
        joined[i] = seconds; home[i] = place
        printf "%d\t%s\t%s %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s+00\n", i, uuid(), given, family, email, \
            (i % 67 ? pick(street, STREET) " " between(1, 180) : "\\N"), postcode(pattern[place]), \
            city[1 + random(count)], code[place], (i % 9 ? date(between(-18000, 2200)) : "\\N"), \
            (chance(40) ? "t" : "f"), (i % 4 ? "\\N" : money(between(1, 80) * 5000)), moment(seconds)
    }
    print "\\."
    print ""
}
# A square root by whole steps, since the last digits of sqrt() may differ.
function sqrt_of(x,   low, high, mid, n) {
    low = 0; high = 1000000; n = x * 1000000 * 1000000
    while (high - low > 1) {
        mid = whole((low + high) / 2)
        if (mid * mid <= n) low = mid; else high = mid
    }
    return low / 1000000
}
function uuid() {
    return hex(4) "-" hex(2) "-4" substr(hex(2), 2) "-a" substr(hex(2), 2) "-" hex(6)
}
function postcode(form,   text, i, c) {
    for (i = 1; i <= length(form); i++) {
        c = substr(form, i, 1)
        text = text (c == "9" ? between(1, 9) : c == "A" ? substr("ABCDEFGHJKLMNPRSTWXY", 1 + random(20), 1) : c)
    }
    return text
}
# Small letters without accents, for the address of a mailbox.
function ascii(name) {
    gsub(/é|è/, "e", name); gsub(/ã|á/, "a", name); gsub(/ø|ó/, "o", name); gsub(/Ž/, "Z", name)
    gsub(/í/, "i", name); gsub(/č/, "c", name); gsub(/ü/, "u", name)
    return tolower(name)
}

function orders(   i, seconds, state, age, known, customer, shipped) {
    print "COPY orders (id, customer_id, placed_at, state, discount_percent, postage, shipped_on, deliver_after, note) FROM stdin;"
    known = 1
    for (i = 1; i <= ORDERS; i++) {
        seconds = FIRST_ORDER + whole((LAST_ORDER - FIRST_ORDER) / ORDERS * i) - random(5000)
        while (known < CUSTOMERS && joined[known + 1] < seconds - 3600) known++
        customer = 1 + skewed(known)
        age = whole((LAST_ORDER - seconds) / 86400)
        state = age > 14 ? "delivered" : age > 6 ? "shipped" : chance(60) ? "paid" : "open"
        if (age > 20 && chance(3)) state = "returned"
        if (age > 1 && chance(2)) state = "cancelled"
        shipped = state == "open" || state == "paid" || state == "cancelled" ? "\\N" : date(whole(seconds / 86400) + between(0, 5))
        placed[i] = seconds; status[i] = state
        discount[i] = chance(12) ? 5 * between(1, 4) : 0
        freight[i] = chance(25) ? 0 : postage[home[customer]]
        printf "%d\t%d\t%s+00\t%s\t%d.00\t%s\t%s\t%s\t%s\n", i, customer, moment(seconds), state, discount[i], \
            money(freight[i]), shipped, (i % 13 ? "\\N" : sprintf("%02d:%02d:00", between(8, 18), 15 * random(4))), \
            (i % 17 ? "\\N" : pick(note, NOTES))
    }
    print "\\."
    print ""
}

function lines(   i, n, left, orders_left, least, most, product, used, quantity, cents) {
    print "COPY order_line (order_id, line, product_id, quantity, unit_price) FROM stdin;"
    left = LINES
    for (i = 1; i <= ORDERS; i++) {
        orders_left = ORDERS - i
        # One to five lines, and as many in all as there shall be.
        least = left - 5 * orders_left; most = left - orders_left
        n = between(1, 5)
        if (n < least) n = least
        if (n > most) n = most
        left -= n
        split("", used)
        total[i] = 0
        while (n > 0) {
            product = 1 + skewed(PRODUCTS)
            if (product in used || listed[product] * 86400 > placed[i]) continue
            used[product] = 1
            quantity = 1 + skewed(6)
            # What was sold earlier was cheaper by up to 8 percent.
            cents = price[product] - whole(price[product] * whole((LAST_ORDER - placed[i]) / 86400) / 16000)
            total[i] += quantity * cents
            printf "%d\t%d\t%d\t%d\t%s\n", i, ++line_number, product, quantity, money(cents)
            n--
        }
        line_number = 0
    }
    print "\\."
    print ""
}

function payments(   i, id, cents, methods, count) {
    count = split("card card card transfer transfer invoice voucher", methods, " ")
    print "COPY payment (id, order_id, method, amount, booked_at) FROM stdin;"
    for (i = 1; i <= ORDERS; i++) {
        if (status[i] == "open" || status[i] == "cancelled") continue
        cents = total[i] - whole(total[i] * discount[i] / 100) + freight[i]
        printf "%d\t%d\t%s\t%s\t%s\n", ++id, i, pick(methods, count), money(cents), moment(placed[i] + between(60, 250000))
        if (status[i] == "returned")
            printf "%d\t%d\trefund\t-%s\t%s\n", ++id, i, money(cents - freight[i]), moment(placed[i] + between(900000, 1600000))
    }
    PAYMENTS = id
    print "\\."
    print ""
}

# ---- what is made when the rows are there

function sequences() {
    printf "SELECT setval('category_id_seq', %d);\n", CATEGORIES
    printf "SELECT setval('supplier_id_seq', %d);\n", SUPPLIERS
    printf "SELECT setval('product_id_seq', %d);\n", PRODUCTS
    printf "SELECT setval('customer_id_seq', %d);\n", CUSTOMERS
    printf "SELECT setval('orders_id_seq', %d);\n", ORDERS
    printf "SELECT setval('payment_id_seq', %d);\n", PAYMENTS
    print ""
}

function primary_key(table, columns) {
    printf "ALTER TABLE ONLY %s ADD CONSTRAINT %s_pkey PRIMARY KEY (%s);\n", table, table, columns
}
function foreign_key(table, column, target, target_column, rest) {
    printf "ALTER TABLE ONLY %s ADD CONSTRAINT %s_%s_fkey FOREIGN KEY (%s) REFERENCES %s(%s)%s;\n", \
        table, table, column, column, target, target_column, rest
}

function constraints() {
    primary_key("country", "code")
    primary_key("category", "id")
    primary_key("supplier", "id")
    primary_key("product", "id")
    primary_key("customer", "id")
    primary_key("orders", "id")
    primary_key("order_line", "order_id, line")
    primary_key("payment", "id")
    print "ALTER TABLE ONLY product ADD CONSTRAINT product_sku_key UNIQUE (sku);"
    print "ALTER TABLE ONLY customer ADD CONSTRAINT customer_email_key UNIQUE (email);"
    print "ALTER TABLE ONLY customer ADD CONSTRAINT customer_token_key UNIQUE (token);"
    print ""
    foreign_key("category", "parent_id", "category", "id", "")
    foreign_key("supplier", "country_code", "country", "code", "")
    foreign_key("product", "category_id", "category", "id", "")
    foreign_key("product", "supplier_id", "supplier", "id", "")
    foreign_key("customer", "country_code", "country", "code", " ON UPDATE CASCADE")
    foreign_key("orders", "customer_id", "customer", "id", "")
    foreign_key("order_line", "order_id", "orders", "id", " ON DELETE CASCADE")
    foreign_key("order_line", "product_id", "product", "id", "")
    foreign_key("payment", "order_id", "orders", "id", "")
    print ""
    print "CREATE INDEX product_category ON product (category_id, price DESC);"
    print "CREATE INDEX product_active_name ON product (name) WHERE active;"
    print "CREATE INDEX customer_country ON customer (country_code, city);"
    print "CREATE INDEX customer_lower_email ON customer (lower(email));"
    print "CREATE INDEX orders_customer ON orders (customer_id, placed_at);"
    print "CREATE INDEX orders_placed ON orders (placed_at);"
    print "CREATE INDEX orders_unfinished ON orders (state) WHERE state IN ('open', 'paid');"
    print "CREATE INDEX order_line_product ON order_line (product_id);"
    print "CREATE INDEX payment_order ON payment (order_id);"
    print ""
}

function views() {
    print "CREATE VIEW order_total AS"
    print "    SELECT o.id AS order_id, o.customer_id, o.placed_at, o.state, count(*) AS line_count,"
    print "        sum(l.quantity) AS pieces, sum(l.quantity * l.unit_price) AS goods"
    print "    FROM orders o JOIN order_line l ON l.order_id = o.id"
    print "    GROUP BY o.id, o.customer_id, o.placed_at, o.state;"
    print ""
    print "CREATE VIEW customer_summary AS"
    print "    SELECT c.id, c.name, c.country_code, count(o.id) AS order_count, max(o.placed_at) AS last_order"
    print "    FROM customer c LEFT JOIN orders o ON o.customer_id = c.id AND o.state <> 'cancelled'"
    print "    GROUP BY c.id, c.name, c.country_code;"
    print ""
    print "CREATE VIEW category_sales AS"
    print "    SELECT parent.name AS department, c.name AS category, count(DISTINCT l.product_id) AS products,"
    print "        sum(l.quantity) AS pieces, sum(l.quantity * l.unit_price) AS turnover"
    print "    FROM order_line l"
    print "        JOIN product p ON p.id = l.product_id"
    print "        JOIN category c ON c.id = p.category_id"
    print "        JOIN category parent ON parent.id = c.parent_id"
    print "    GROUP BY parent.name, c.name;"
    print ""
    print "CREATE VIEW reorder AS"
    print "    SELECT p.sku, p.name, p.stock, s.name AS supplier"
    print "    FROM product p JOIN supplier s ON s.id = p.supplier_id"
    print "    WHERE p.active AND p.stock < 25;"
    print ""
    print "COMMENT ON TABLE orders IS 'One row for each order; the goods are in order_line.';"
    print "COMMENT ON VIEW reorder IS 'What is nearly sold out.';"
    print ""
    print "ANALYZE;"
}
