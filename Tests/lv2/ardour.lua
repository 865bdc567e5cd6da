-- A session with the plugin in a MIDI track plays the preset chorale for 38 seconds, and a client of JACK records it.
local work, recorder = os.getenv("WORK"), os.getenv("RECORDER")
local function play()
  AudioEngine:set_backend("JACK", "ardour", "")
  local session = create_session(work .. "/session", "session", 48000)
  local one = ARDOUR.ChanCount(ARDOUR.DataType("midi"), 1)
  local plugin = ARDOUR.LuaAPI.new_plugin(session, "urn:libretto:lv2", ARDOUR.PluginType.LV2, "")
  local tracks = session:new_midi_track(one, one, true, ARDOUR.PluginInfo(), nil, nil, 1, "libretto", -1,
                                        ARDOUR.TrackMode.Normal, true)
  for track in tracks:iter() do track:add_processor_by_index(plugin, 0, nil, true) end
  local instance = plugin:to_insert():plugin(0)
  assert(instance:load_preset(instance:preset_by_label("chorale")))
  -- Controls are counted from 0 in the order of docs/plugins.md, with each of a pair.
  assert(ARDOUR.LuaAPI.set_processor_param(plugin, 12, 16)) -- bars
  assert(ARDOUR.LuaAPI.set_processor_param(plugin, 18, 5)) -- seed
  sleep(1)
  os.execute(recorder .. " \"ardour:libretto/midi_out 1\" 120 " .. work .. "/models/chorale.mid " .. work ..
             "/chorale.mid 45 >" .. work .. "/recorder.log 2>&1 &")
  sleep(2)
  session:goto_start(false)
  sleep(1)
  session:request_roll(ARDOUR.TransportRequestSource.TRS_UI)
  sleep(38)
  session:request_stop(false, false, ARDOUR.TransportRequestSource.TRS_UI)
  sleep(5)
  close_session()
end
print(pcall(play))
quit()
