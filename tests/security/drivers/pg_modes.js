// For each mode a letter: y = within TLS, c = in clear text, n = not at all; - = the driver has no such mode.
const { Client } = require('pg')

async function letter(mode) {
  if (mode === 'allow') return '-'
  const { HOST, PORT, SECRET, ROOT } = process.env
  const secured = mode === 'disable' ? '' : `&sslrootcert=${encodeURIComponent(ROOT)}`
  const address = `postgresql://dba:${encodeURIComponent(SECRET)}@${HOST}:${PORT}/shop`
  const client = new Client(`${address}?uselibpqcompat=true&sslmode=${mode}${secured}`)
  try {
    await client.connect()
    const answer = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
    await client.end()
    return answer.rows[0].ssl ? 'y' : 'c'
  } catch (error) {
    console.error(mode, error.message)
    return 'n'
  }
}

(async () => {
  for (const mode of process.argv.slice(2)) process.stdout.write(await letter(mode))
})()
